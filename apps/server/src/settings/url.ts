import { z } from "zod";

export const httpUrl = z.url({ protocol: /^https?$/, error: "must be an http:// or https:// URL" });

/** Where people reach Bursar: its pages, cookies and socket live at the root of a host. */
export const httpOrigin = httpUrl
  .refine(
    (url) => /^https?:\/\/[^/?#@]+\/*$/i.test(url),
    "must be scheme, host and port alone, without a path",
  )
  .transform((url) => new URL(url).origin);
