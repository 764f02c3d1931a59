/** Markup with nothing left open: values are escaped unless they were made by `html` themselves. */
export class Html {
  readonly text: string;
  constructor(text: string) {
    this.text = text;
  }
}

type Value = string | Html | readonly Html[];

export function html(parts: TemplateStringsArray, ...values: readonly Value[]): Html {
  return new Html(String.raw({ raw: parts }, ...values.map(textOf)));
}

function textOf(value: Value): string {
  if (typeof value === "string") return escape(value);
  return value instanceof Html ? value.text : value.map(({ text }) => text).join("");
}

const ENTITIES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

export function escape(text: string): string {
  return text.replace(/[&<>"']/g, (character) => ENTITIES[character]!);
}

const STYLE = `
  body { font: 16px/1.5 system-ui, sans-serif; max-width: 46rem; margin: 2rem auto; padding: 0 1rem; color: #1b1b1f; }
  .sandbox { background: #fff4d6; border: 1px solid #d9a400; padding: .5rem .75rem; border-radius: .4rem; }
  table { border-collapse: collapse; width: 100%; } th, td { text-align: left; padding: .4rem .5rem; border-bottom: 1px solid #ddd; }
  pre { white-space: pre-wrap; overflow-wrap: anywhere; background: #f6f6f8; padding: 1rem; border-radius: .4rem; font: inherit; }
  iframe { width: 100%; height: 28rem; border: 1px solid #ddd; border-radius: .4rem; }
  fieldset { border: 1px solid #ddd; border-radius: .4rem; margin: 1rem 0; } label { display: block; margin: .25rem 0; }
  button { font: inherit; padding: .4rem 1rem; } input[type=text] { font: inherit; padding: .3rem .5rem; width: 20rem; max-width: 100%; }
  :focus-visible { outline: 3px solid #2b5fd9; outline-offset: 2px; }`;

/** A whole page. `note` says at the top that this is the sandbox. */
export function page(title: string, note: string, body: Html): string {
  return html`<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title}</title><style>${new Html(STYLE)}</style></head>
<body><p class="sandbox">${note}</p><main><h1>${title}</h1>
${body}
</main></body></html>`.text;
}
