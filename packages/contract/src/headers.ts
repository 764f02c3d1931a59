/** Who pays for a call, where it is not the caller: an organization by its id, or the one that a repository maps to. */
export const ORGANIZATION_HEADER = "x-bursar-organization";
export const REPOSITORY_HEADER = "x-bursar-repository";

/** Why an administrator does it, percent-encoded. */
export const REASON_HEADER = "x-bursar-reason";
