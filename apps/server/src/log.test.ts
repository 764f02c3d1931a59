import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, it } from "vitest";

const PROGRAM = `
  import { openLog } from ${JSON.stringify(join(import.meta.dirname, "log.ts"))};
  const fields = { code: "23514", constraint: "people_email", table: "people" };
  const row = "Failing row contains (user_1, ann@private.example)";
  const err = Object.assign(new Error("violates a constraint"), fields, { detail: row, where: "COPY, line 1: " + row });
  openLog("warn").error({ err, requestId: "req_1", failure: { detail: "status 500" } }, "unexpected error");
`;

it("says which rule of the database was broken, and nothing of the row that broke it", async () => {
  const { stderr } = await promisify(execFile)(process.execPath, ["--input-type=module", "-e", PROGRAM]);
  expect(stderr).not.toContain("ann@private.example");
  const { err, failure } = JSON.parse(stderr);
  expect(err).toMatchObject({
    message: "violates a constraint",
    constraint: "people_email",
    table: "people",
  });
  expect(failure.detail).toBe("status 500");
});
