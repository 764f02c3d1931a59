/** Under this name the global set-up hands the superuser's URL of the run's cluster to the test files. */
export const CLUSTER_URL = "clusterUrl";

declare module "vitest" {
  interface ProvidedContext {
    [CLUSTER_URL]: string;
  }
}
