const LONGEST_NAME = 60;

/** What somebody calls themselves or what is theirs, as a mail shows it that they can have sent to anybody: on one line,
 *  no longer than a name, with nothing in it that turns text round or that mail programs make a link of. May be empty. */
export function shownToStrangers(name: string): string {
  const plain = name
    .normalize("NFKC")
    .replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, " ")
    .replace(/:\/+/g, " ")
    .replace(/[.\u3002](?=[\p{L}\p{N}])/gu, ". ");
  const letters = Array.from(plain.replace(/\s+/gu, " ").trim());
  const cut = letters.length <= LONGEST_NAME ? letters : [...letters.slice(0, LONGEST_NAME - 1), "…"];
  return cut.join("");
}
