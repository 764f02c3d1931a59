import { describe, expect, test } from "vitest";
import { readRepository } from "./repository.ts";

describe("one repository has one name", () => {
  test.each([
    ["https://github.com/acme/widget"],
    ["https://github.com/acme/widget.git"],
    ["https://github.com/acme/widget.git/"],
    ["http://www.github.com/acme/widget/"],
    ["https://GitHub.com/Acme/Widget"],
    ["https://user:secret@github.com/acme/widget.git"],
    ["https://x-access-token:ghs_abc@github.com/acme/widget"],
    ["https://github.com:443/acme/widget?tab=readme#top"],
    ["https://github.com/acme/widget/tree/main/src"],
    ["git+https://github.com/acme/widget.git"],
    ["git://github.com/acme/widget.git"],
    ["git@github.com:acme/widget.git"],
    ["git@github.com:/acme/widget.git"],
    ["GIT@GITHUB.COM:ACME/WIDGET.GIT"],
    ["github.com:acme/widget"],
    ["github.com/acme/widget"],
    ["  github.com/acme/widget.git  "],
    ["ssh://git@github.com/acme/widget.git"],
    ["ssh://git@github.com:22/acme/widget.git"],
    ["ssh://git@ssh.github.com:443/acme/widget.git"],
    ["ssh://git@github.com:acme/widget.git"],
    ["git+ssh://git@github.com/acme/widget.git"],
  ])("%s", (address) => {
    expect(readRepository(address)).toEqual({ kind: "repository", name: "github.com/acme/widget" });
  });

  test.each([
    ["git@gitlab.com:group/sub/deep/widget.git", "gitlab.com/group/sub/deep/widget"],
    ["https://gitlab.com/group/sub/widget/-/merge_requests/7", "gitlab.com/group/sub/widget"],
    ["ssh://git@altssh.gitlab.com:443/group/widget.git", "gitlab.com/group/widget"],
    ["https://ada@bitbucket.org/acme/widget/src/main/", "bitbucket.org/acme/widget"],
    ["git@bitbucket.org:acme/widget.git", "bitbucket.org/acme/widget"],
    ["ssh://git@git.example.org:7999/acme/widget.git", "git.example.org/acme/widget"],
    ["https://github.com/acme/.github", "github.com/acme/.github"],
    ["https://github.com/acme/widget.github.io", "github.com/acme/widget.github.io"],
  ])("%s is %s", (address, name) => {
    expect(readRepository(address)).toEqual({ kind: "repository", name });
  });
});

describe("what is no repository's address is named", () => {
  test.each([
    ["", "must not be empty"],
    ["   ", "must not be empty"],
    ["widget", "must look like"],
    ["acme/widget", "names no host with a dot"],
    ["github:acme/widget", "names no host with a dot"],
    ["https://github.com", "must name an owner and a repository"],
    ["https://github.com/acme", "must name an owner and a repository"],
    ["git@github.com:widget.git", "must name an owner and a repository"],
    ["https://github.com/acme/.git", "must name an owner and a repository"],
    ["https://github.com/acme/%2e%2e%2fother", "has a part"],
    ["git@github.com:acme/../other", "has a part"],
    ["https://github.com/ac me/widget", "must contain no spaces"],
    ["C:\\\\code\\\\widget", "must contain no spaces"],
    ["/home/ada/widget.git", "must look like"],
    ["../widget", "names no host with a dot"],
    ["file:///home/ada/widget.git", "must look like"],
    ["ftp://github.com/acme/widget", "must look like"],
    ["https:///acme/widget", "names no host with a dot"],
    ["https://localhost/acme/widget", "names no host with a dot"],
    ["https://[::1]/acme/widget", "names no host with a dot"],
    ["https://github.com/acme/wid\u0000get", "must contain no spaces"],
    [`https://github.com/acme/${"x".repeat(600)}`, "must be at most 512"],
    ["https://", "must look like"],
    ["@:", "must look like"],
  ])("%j", (address, message) => {
    expect(readRepository(address)).toEqual({ kind: "invalid", message: expect.stringContaining(message) });
  });
});
