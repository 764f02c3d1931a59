import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { Ajv, type ErrorObject } from "ajv";

const published = (name: string) =>
  fileURLToPath(new URL(`../../../../../../shared/stripe/${name}`, import.meta.url));
const SPEC = published("spec3-2023-08-16.json");
const FIXTURES = published("fixtures3-2026-08.json");

/** Why there are no published schemas to check with; null: they are there. */
export const schemasMissing = existsSync(SPEC)
  ? null
  : "the published schemas (../shared/stripe) are not here";

type Json = Record<string, unknown>;
type Check = (object: object) => string[];

/** Checks objects against Stripe's published schemas, and that they have every field of its newer examples. `changed` names what is
 *  not as it was in 2023, or is left out on purpose. */
export function openSchemas(changed: readonly RegExp[]): Check {
  const spec = JSON.parse(readFileSync(SPEC, "utf8")) as { components: { schemas: Json } };
  const { resources } = JSON.parse(readFileSync(FIXTURES, "utf8")) as { resources: Record<string, Json> };
  const ajv = new Ajv({ strict: false, allErrors: true, logger: false });
  ajv.addSchema({ $id: "stripe", components: { schemas: standard(spec.components.schemas) as Json } });
  return (object) => {
    const name = (object as { object: string }).object;
    const example = resources[name];
    const validate = ajv.getSchema(`stripe#/components/schemas/${name}`);
    if (example === undefined && validate === undefined)
      throw new Error(`nothing is published about ${name}`);
    const absent = Object.keys(example ?? {}).filter((field) => !(field in object));
    const lines = absent.map((field) => `/${field} is missing`);
    // As it was on the wire: the SDK makes numbers of decimals.
    if (validate?.(JSON.parse(JSON.stringify(object))) === false) lines.push(...told(validate.errors ?? []));
    return lines
      .map((line) => `${name}: ${line}`)
      .filter((line) => !changed.some((known) => known.test(line)));
  };
}

/** Of a failed choice between an id and an object, the object's own mistakes tell more. */
function told(errors: readonly ErrorObject[]): string[] {
  const lines = errors
    .filter(({ keyword }) => keyword !== "anyOf")
    .map(({ instancePath, message, params }) => `${instancePath} ${message ?? ""} ${JSON.stringify(params)}`);
  return [...new Set(lines)];
}

/** OpenAPI 3.0 says `nullable` where JSON schema offers a choice. */
function standard(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(standard);
  if (typeof value !== "object" || value === null) return value;
  const { nullable, ...rest } = value as Json;
  const known = Object.fromEntries(Object.entries(rest).map(([name, inner]) => [name, standard(inner)]));
  return nullable === true ? { anyOf: [{ type: "null" }, known] } : known;
}
