/** A repository by one name, however its address is written: `github.com/owner/name`, all in lower case. */
export type RepositoryOutcome =
  | { readonly kind: "repository"; readonly name: string }
  | { readonly kind: "invalid"; readonly message: string };

const LONGEST = 512;
const SCHEMES = /^(?:git\+)?(?:https?|ssh|git):\/\//i;
/** `git@github.com:owner/name.git`, as ssh has it; also with the scheme, which git's own users often add. */
const SCP = /^(?:(?:git\+)?ssh:\/\/)?(?:[^@/:\s]+@)?([^@/:\s]+):(?!\/\/)(.+)$/i;
const HOST = /^(?=.{1,253}$)[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)+$/;
const SEGMENT = /^(?!\.{1,2}$)[a-z0-9_.~-]+$/;

/** Other doors to the same house. */
const ALIASES: Readonly<Record<string, string>> = {
  "ssh.github.com": "github.com",
  "altssh.gitlab.com": "gitlab.com",
  "altssh.bitbucket.org": "bitbucket.org",
};

/** Hosts where a repository is an owner's and never lies deeper: what follows is a page about it. */
const FLAT: ReadonlySet<string> = new Set(["github.com", "bitbucket.org"]);

/** Reads an address as git, browsers and people write it: https with or without `.git`, `ssh://`, `git@host:…`, or bare.
 *  Credentials, ports, queries and pages within the repository are dropped; capitals do not count, as on GitHub, GitLab
 *  and Bitbucket. What is no address of a repository is named. */
export function readRepository(address: string): RepositoryOutcome {
  const text = address.trim();
  if (text === "") return invalid("must not be empty");
  if (text.length > LONGEST) return invalid(`must be at most ${LONGEST} characters`);
  if (/[\s\p{Cc}\\]/u.test(text)) return invalid("must contain no spaces and no backslashes");
  const place = placeIn(text);
  return place === null ? invalid(SHAPES) : nameOf(place.host.toLowerCase(), place.path);
}

const SHAPES = "must look like https://github.com/owner/name or git@github.com:owner/name.git";

interface Place {
  readonly host: string;
  readonly path: string;
}

function placeIn(text: string): Place | null {
  if (SCHEMES.test(text)) {
    const url = URL.canParse(text) ? new URL(text) : null;
    if (url !== null && url.hostname !== "") return { host: url.hostname, path: url.pathname };
  }
  const scp = SCP.exec(text);
  if (scp !== null) return { host: scp[1]!, path: withoutQuery(scp[2]!) };
  if (text.includes(":") || text.includes("@")) return null;
  const slash = text.indexOf("/");
  return slash <= 0 ? null : { host: text.slice(0, slash), path: withoutQuery(text.slice(slash)) };
}

function withoutQuery(path: string): string {
  return path.replace(/[?#].*$/, "");
}

function nameOf(written: string, path: string): RepositoryOutcome {
  const bare = written.replace(/^www\./, "");
  const host = ALIASES[bare] ?? bare;
  if (!HOST.test(host)) return invalid(`names no host with a dot, such as github.com: ${written}`);
  const all = segmentsOf(path);
  if (all === null) return invalid("has a part that no repository's address has");
  const segments = FLAT.has(host) ? all.slice(0, 2) : all;
  if (segments.length < 2) return invalid(`must name an owner and a repository: ${SHAPES}`);
  const last = segments.at(-1)!.replace(/\.git$/, "");
  if (last === "") return invalid(`must name an owner and a repository: ${SHAPES}`);
  return { kind: "repository", name: [host, ...segments.slice(0, -1), last].join("/") };
}

/** Up to GitLab's `/-/`, behind which its pages begin. null: a part that cannot be one. */
function segmentsOf(path: string): string[] | null {
  const parts = path
    .toLowerCase()
    .split("/")
    .filter((part) => part !== "");
  const page = parts.indexOf("-");
  const segments = page === -1 ? parts : parts.slice(0, page);
  return segments.every((part) => SEGMENT.test(part)) ? segments : null;
}

function invalid(message: string): RepositoryOutcome {
  return { kind: "invalid", message };
}
