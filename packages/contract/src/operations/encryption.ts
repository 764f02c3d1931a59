import { z } from "zod";
import { operation } from "../operation.ts";

export const rotateKeys = operation({
  name: "rotateKeys",
  method: "post",
  path: "/v1/encryption/rotate",
  access: "admin",
  summary: "Wrap the keys of encrypted fields under the newest master key, up to 10,000 a call.",
  status: 200,
  answer: z.object({
    masterKeyId: z.string().describe("The newest master key"),
    rewrapped: z.int(),
    remaining: z.int().describe("Still under an older master key: call again"),
    damaged: z.array(z.string()).describe("Accounts whose key was changed from outside; left as it is"),
    missing: z
      .array(z.object({ masterKeyId: z.string(), dataKeys: z.int() }))
      .describe("Master keys that are needed and not set"),
    renewed: z.int().describe("Second factors of older versions that are under the master key from now on"),
    unreadable: z
      .array(z.string())
      .describe("People whose second factor is of an older version and another BURSAR_SECRET"),
  }),
  errors: [],
});
