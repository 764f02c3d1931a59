/** A program for the launcher's tests: runs embedded Postgres on the folder named by its argument, says where in one
 *  line of JSON, and stays until it is killed or its input ends. */
import { THROWAWAY_SETTINGS } from "../embedded/settings.ts";
import { startEmbeddedPostgres } from "../embedded.ts";

const [dataDir = "", mode] = process.argv.slice(2);
const temporary = mode === "temporary";
const settings = temporary ? THROWAWAY_SETTINGS : {};
const postgres = await startEmbeddedPostgres({ dataDir, temporary, settings });
process.stdout.write(`${JSON.stringify({ url: postgres.url, pid: postgres.pid })}\n`);
process.stdin.resume();
process.stdin.on("end", () => void postgres.stop());
