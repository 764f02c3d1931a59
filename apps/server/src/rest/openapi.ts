import { ERRORS, errorBody } from "@bursar/contract/errors";
import { REASON_HEADER } from "@bursar/contract/headers";
import { ID_PATTERN } from "@bursar/contract/ids";
import type { Operation } from "@bursar/contract/operation";
import { batchOperation } from "@bursar/contract/operations/spend";
import { type OperationName, v1 } from "@bursar/contract/v1";
import { z } from "zod";
import { isRecorded } from "../administration/rest.ts";
import { VERSION } from "../version.ts";

type Json = Record<string, unknown>;

/** The OpenAPI 3.1 document, made from the very schemas that check the requests. */
export function openApiDocument(): Json {
  const paths: Record<string, Json> = {};
  for (const operation of Object.values(v1) as Operation[]) {
    paths[operation.path] = { ...paths[operation.path], [operation.method]: describe(operation) };
  }
  return {
    openapi: "3.1.0",
    info: {
      title: "Bursar",
      version: VERSION,
      description:
        "Prepaid credits for AI products. Amounts are decimal strings of credits, at most 6 decimals.",
      license: { name: "Apache-2.0", identifier: "Apache-2.0" },
    },
    security: [{ apiKey: [] }],
    paths,
    components: {
      securitySchemes: { apiKey: { type: "http", scheme: "bearer" } },
      schemas: {
        Error: schemaOf(errorBody, "output"),
        BatchOperation: schemaOf(batchOperation, "input"),
        Json: ANY_JSON,
      },
    },
  };
}

const JSON_PATH = "#/components/schemas/Json";

/** Any JSON value, as in `metadata`. It holds itself, so that it needs a name. */
const ANY_JSON: Json = {
  anyOf: [
    { type: ["string", "number", "boolean", "null"] },
    { type: "array", items: { $ref: JSON_PATH } },
    { type: "object", additionalProperties: { $ref: JSON_PATH } },
  ],
};

/** zod writes JSON Schema 2020-12, which is what OpenAPI 3.1 uses. What holds itself (any JSON value, nothing else) it
 *  names by a path from the schema's own root; here the root is the whole document. */
function schemaOf(schema: z.ZodType, io: "input" | "output"): Json {
  const { $schema: _, $defs: __, ...json } = z.toJSONSchema(schema, { io, unrepresentable: "any" });
  return JSON.parse(JSON.stringify(json).replaceAll(/#\/\$defs\/__schema\d+/g, JSON_PATH)) as Json;
}

function describe(operation: Operation): Json {
  const { name, summary, body, status, answer, otherMedia = [] } = operation;
  const success = {
    description: "Done",
    content: {
      "application/json": { schema: schemaOf(answer, "output") },
      ...Object.fromEntries(otherMedia.map((media) => [media, { schema: { type: "string" } }])),
    },
  };
  return {
    operationId: name,
    summary,
    parameters: [
      ...parametersIn("path", operation.params),
      ...parametersIn("query", operation.query),
      ...(operation.access === "account" ? PAYER_HEADERS : []),
      ...(takesId(body) || KEYED.has(operation.name) ? [IDEMPOTENCY_KEY] : []),
      ...(isRecorded(operation) || operation.name === "batch" ? [REASON] : []),
    ],
    ...(body === undefined ? {} : { requestBody: requestBody(operation, body) }),
    responses: {
      [status]: success,
      ...(status === 201 ? { 200: repeated(success) } : {}),
      ...errorsOf(operation),
    },
  };
}

const PAYER_HEADERS: readonly Json[] = [
  {
    name: "x-bursar-organization",
    in: "header",
    required: false,
    description: "The organization whose credits pay: for a person who is a member of it",
    schema: { type: "string" },
  },
  {
    name: "x-bursar-repository",
    in: "header",
    required: false,
    description:
      "The address of the repository that the work is on; an organization that has it pays for its members",
    schema: { type: "string" },
  },
];

const IDEMPOTENCY_KEY: Json = {
  name: "idempotency-key",
  in: "header",
  required: false,
  description: "In place of the id in the body: makes the call safe to repeat",
  schema: { type: "string", pattern: ID_PATTERN.source },
};

const REASON: Json = {
  name: REASON_HEADER,
  in: "header",
  required: false,
  description: "Why an administrator does it, percent-encoded; kept on record",
  schema: { type: "string" },
};

function requestBody(operation: Operation, body: z.ZodType): Json {
  return { required: true, content: { "application/json": { schema: bodySchema(operation, body) } } };
}

/** They take the header, and no id. */
const KEYED: ReadonlySet<string> = new Set<OperationName>([
  "createKey",
  "createGiftCards",
  "changeSubscription",
]);

function takesId(body: z.ZodType | undefined): boolean {
  return body !== undefined && "id" in ((schemaOf(body, "input")["properties"] as Json | undefined) ?? {});
}

/** A batch's operations are checked one by one, so its own schema leaves them open. */
function bodySchema(operation: Operation, body: z.ZodType): Json {
  const schema = schemaOf(body, "input");
  if (operation.name !== "batch") return schema;
  const properties = schema["properties"] as Record<string, Json>;
  const operations = { ...properties["operations"], items: { $ref: "#/components/schemas/BatchOperation" } };
  return { ...schema, properties: { ...properties, operations } };
}

function repeated(success: Json): Json {
  return { ...success, description: "The same was done before: its first result" };
}

function parametersIn(place: "path" | "query", schema: z.ZodType | undefined): Json[] {
  if (schema === undefined) return [];
  const json = schemaOf(schema, "input") as { properties?: Record<string, Json>; required?: string[] };
  return Object.entries(json.properties ?? {}).map(([name, { description, ...rest }]) => ({
    name,
    in: place,
    required: place === "path" || (json.required ?? []).includes(name),
    ...(description === undefined ? {} : { description }),
    schema: rest,
  }));
}

const ALWAYS = [
  "unauthenticated",
  "cross_origin",
  "invalid_request",
  "rate_limited",
  "internal",
  "unavailable",
] as const;
/** Of who may act for an account, and whose credits pay. */
const ACCOUNT = [
  "admin_required",
  "role_required",
  "organization_unknown",
  "organization_ambiguous",
  "repository_unknown",
] as const;
const BODY = ["invalid_json", "body_too_large"] as const;

function errorsOf(operation: Operation): Record<string, Json> {
  const codes = [
    ...operation.errors,
    ...ALWAYS,
    ...(operation.access === "account" ? ACCOUNT : []),
    ...(operation.body === undefined ? [] : BODY),
    ...(operation.access === "admin" ? ["admin_required" as const] : []),
    ...(operation.access === "person" ? ["person_required" as const] : []),
  ];
  const byStatus = Map.groupBy(new Set(codes), (code) => String(ERRORS[code].status));
  return Object.fromEntries(
    [...byStatus].map(([status, group]) => [
      status,
      {
        description: group.join(", "),
        content: { "application/json": { schema: { $ref: "#/components/schemas/Error" } } },
      },
    ]),
  );
}
