import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { type FileChangeHook, PROJECT_CONFIG_FILES, projectConfig } from "@bursar/contract/agent/hooks";
import {
  findNodeAtLocation,
  getNodeValue,
  type Node,
  type ParseError,
  parseTree,
  printParseErrorCode,
} from "jsonc-parser";

export type HookConfig =
  | { readonly kind: "config"; readonly file: string; readonly hooks: readonly FileChangeHook[] }
  | { readonly kind: "none" }
  /** Each problem with its file and line: `bursar.json:7: fileChangeHooks[0].command must not be empty`. */
  | { readonly kind: "invalid"; readonly problems: readonly string[] };

/** The project's hooks, from the first of its config files that is there. A file that cannot be used is an answer of
 *  its own: hooks that silently do not run look as if they had passed. */
export async function readHookConfig(root: string): Promise<HookConfig> {
  for (const file of PROJECT_CONFIG_FILES) {
    try {
      const text = await readFile(join(root, file), "utf8");
      // Editors of Windows put a mark at the beginning.
      return parseHookConfig(file, text.replace(/^\uFEFF/, ""));
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException;
      if (code !== "ENOENT") return { kind: "invalid", problems: [`${file} cannot be read: ${message}`] };
    }
  }
  return { kind: "none" };
}

/** JSON, in which comments and a comma after the last item are welcome. */
export function parseHookConfig(file: string, text: string): HookConfig {
  const errors: ParseError[] = [];
  const tree = parseTree(text, errors, { allowTrailingComma: true });
  const first = errors[0];
  if (first !== undefined || tree === undefined)
    return { kind: "invalid", problems: [`${at(file, text, first?.offset ?? 0)}: ${wordsFor(first)}`] };
  const repeated = repeatedFields(tree);
  if (repeated.length > 0) return invalid(file, text, repeated);
  const parsed = projectConfig.safeParse(getNodeValue(tree));
  if (!parsed.success) {
    const problems = parsed.error.issues.map((issue) => {
      const keys = issue.code === "unrecognized_keys" ? issue.keys : [];
      const path = [...issue.path, ...keys.slice(0, 1)] as (string | number)[];
      const message = keys.length > 0 ? "is not a field of a hook" : issue.message;
      return { offset: offsetOf(tree, path), message: `${named(path)} ${message}` };
    });
    return invalid(file, text, problems);
  }
  const { fileChangeHooks: hooks } = parsed.data;
  const namesakes = repeatedNames(tree, hooks);
  return namesakes.length > 0 ? invalid(file, text, namesakes) : { kind: "config", file, hooks };
}

interface Problem {
  readonly offset: number;
  readonly message: string;
}

function invalid(file: string, text: string, problems: readonly Problem[]): HookConfig {
  const lines = problems.map(({ offset, message }) => `${at(file, text, offset)}: ${message}`);
  return { kind: "invalid", problems: lines };
}

const HOOKS = "fileChangeHooks";

/** Of a field that stands twice, JSON takes the last, and what the other says is silently not done. Only in what is
 *  ours to judge. */
function repeatedFields(tree: Node): Problem[] {
  const lists = propertiesOf(tree).filter(({ children }) => children![0]!.value === HOOKS);
  const hooks = lists.flatMap(({ children }) => children![1]?.children ?? []);
  return [lists, ...hooks.map(propertiesOf)].flatMap((properties) => {
    const keys = properties.map(({ children }) => children![0]!);
    const isAgain = (key: Node, index: number) => keys.findIndex(({ value }) => value === key.value) < index;
    return keys
      .filter(isAgain)
      .map(({ offset, value }) => ({ offset, message: `${value} stands here twice` }));
  });
}

function propertiesOf({ children = [] }: Node): Node[] {
  return children.filter(({ type }) => type === "property");
}

/** A result is called by its hook's name: two of one name could not be told apart. */
function repeatedNames(tree: Node, hooks: readonly FileChangeHook[]): Problem[] {
  return hooks.flatMap(({ name }, index) => {
    const first = hooks.findIndex((hook) => hook.name === name);
    const path = [HOOKS, index, "name"];
    const message = `${named(path)} must not be that of ${named([HOOKS, first])}, too`;
    return first === index ? [] : [{ offset: offsetOf(tree, path), message }];
  });
}

/** Of the value itself, or, where it is missing, of what it is missing from. */
function offsetOf(tree: Node, path: readonly (string | number)[]): number {
  for (let length = path.length; length > 0; length -= 1) {
    const node = findNodeAtLocation(tree, path.slice(0, length));
    if (node !== undefined) return node.offset;
  }
  return tree.offset;
}

function at(file: string, text: string, offset: number): string {
  return `${file}:${text.slice(0, offset).split("\n").length}`;
}

function named(path: readonly (string | number)[]): string {
  const steps = path.map((step) => (typeof step === "number" ? `[${step}]` : `.${step}`));
  return steps.join("").replace(/^\./, "") || "it";
}

/** "CommaExpected" becomes "comma expected". */
function wordsFor(error: ParseError | undefined): string {
  if (error === undefined) return "value expected";
  const words = printParseErrorCode(error.error).replace(/(?<!^)[A-Z]/g, (letter) => ` ${letter}`);
  return words.toLowerCase();
}
