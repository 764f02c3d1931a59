type Schema = Record<string, unknown>;

/** The smallest value a JSON schema plausibly accepts: what a model without a thought of its own would send. */
export function exampleOf(schema: unknown, name = "value"): unknown {
  if (!isSchema(schema)) return {};
  if (schema["default"] !== undefined) return schema["default"];
  if (schema["const"] !== undefined) return schema["const"];
  const listed = firstOf(schema["examples"]) ?? firstOf(schema["enum"]);
  if (listed !== undefined) return listed;
  const variant = firstOf(schema["anyOf"]) ?? firstOf(schema["oneOf"]);
  if (variant !== undefined) return exampleOf(variant, name);
  return exampleOfType(schema, name);
}

function exampleOfType(schema: Schema, name: string): unknown {
  const type = firstOf(schema["type"]) ?? schema["type"] ?? "object";
  switch (type) {
    case "string":
      return `example ${name}`;
    case "number":
    case "integer":
      return Number(schema["minimum"] ?? 1);
    case "boolean":
      return true;
    case "null":
      return null;
    case "array":
      return Number(schema["minItems"] ?? 0) > 0 ? [exampleOf(schema["items"], name)] : [];
    default:
      return exampleObject(schema);
  }
}

function exampleObject(schema: Schema): Schema {
  const properties = isSchema(schema["properties"]) ? schema["properties"] : {};
  const required = Array.isArray(schema["required"])
    ? schema["required"].map(String)
    : Object.keys(properties);
  return Object.fromEntries(required.map((name) => [name, exampleOf(properties[name], name)]));
}

function firstOf(value: unknown): unknown {
  return Array.isArray(value) ? value[0] : undefined;
}

function isSchema(value: unknown): value is Schema {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
