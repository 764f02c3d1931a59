/** What keeps a database from being used, for whoever runs it: what is wrong and, where that can be said, what to do.
 *  Printed without a stack. */
export class StartError extends Error {
  override readonly name = "StartError";
}
