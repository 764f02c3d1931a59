import type { z } from "zod";
import { invalid, type Refusal } from "../refusal.ts";
import type { Form } from "./form.ts";

/** The parameters as the route wants them. Throws the refusal that Stripe would give for the first that is wrong. */
export function validate<Shape extends z.ZodType>(shape: Shape, form: Form): z.output<Shape> {
  const parsed = shape.safeParse(form);
  if (parsed.success) return parsed.data;
  throw refusalOf(deepest(parsed.error.issues));
}

interface Issue {
  readonly issue: z.core.$ZodIssue;
  readonly path: readonly PropertyKey[];
}

/** Of a union, what is wrong with the branch that came furthest. */
function deepest(issues: readonly z.core.$ZodIssue[], base: readonly PropertyKey[] = []): Issue {
  const unknown = issues.find(({ code }) => code === "unrecognized_keys");
  const issue = unknown ?? issues[0]!;
  const path = [...base, ...issue.path];
  if (issue.code !== "invalid_union" || issue.errors.length === 0) return { issue, path };
  const branches = issue.errors.filter((branch) => branch.length > 0).map((branch) => deepest(branch, path));
  const furthest = branches.toSorted((a, b) => b.path.length - a.path.length)[0];
  return furthest ?? { issue, path };
}

function refusalOf({ issue, path }: Issue): Refusal {
  const param = nameOf(path);
  if (issue.code === "unrecognized_keys") return unknownParameters(issue.keys, path);
  const isMissing = issue.code === "invalid_type" && issue.input === undefined;
  if (isMissing || (issue.code === "invalid_value" && issue.input === undefined))
    return invalid(`Missing required param: ${param}.`, param, "parameter_missing");
  if (issue.code === "invalid_type") {
    const wanted = issue.expected === "string" ? "string" : issue.expected === "array" ? "array" : "object";
    return invalid(`Invalid ${wanted}`, param);
  }
  if (issue.code === "invalid_value") return invalid(`Invalid ${param}: ${issue.message}`, param);
  if (issue.code === "too_big")
    return invalid(`Invalid ${param}: at most ${String(issue.maximum)} characters or elements`, param);
  const code: unknown = issue.code === "custom" ? issue.params?.["stripe"] : undefined;
  return invalid(issue.message, param, typeof code === "string" ? code : undefined);
}

function unknownParameters(keys: readonly string[], path: readonly PropertyKey[]): Refusal {
  const names = keys.map((key) => nameOf([...path, key]));
  const message = `Received unknown parameter${names.length === 1 ? "" : "s"}: ${names.join(", ")}`;
  return invalid(message, names[0], "parameter_unknown");
}

/** `items[0][price]` */
function nameOf(path: readonly PropertyKey[]): string {
  const [first, ...rest] = path.map(String);
  return `${first ?? ""}${rest.map((part) => `[${part}]`).join("")}`;
}
