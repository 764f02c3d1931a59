/** The files of a project whose path matches a glob. */
export interface Listing {
  readonly root: string;
  readonly glob: string;
  readonly maxResults: number;
}

export interface Listed {
  readonly kind: "listed";
  readonly paths: readonly string[];
  readonly isCut: boolean;
}
