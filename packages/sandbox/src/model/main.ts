import { startSandboxModel } from "../model.ts";

/** Runs the sandbox model as a process of its own, so that a benchmark does not share its event loop. */
const { SANDBOX_MODEL_HOST: host, SANDBOX_MODEL_PORT: port, SANDBOX_MODEL_API_KEY: apiKey } = process.env;

const model = await startSandboxModel({
  host: host ?? "127.0.0.1",
  port: Number(port ?? 4010),
  ...(apiKey !== undefined && { apiKey }),
});
process.stdout.write(`Sandbox model at ${model.url}: no provider, no real money.\n`);
process.send?.({ url: model.url });

for (const signal of ["SIGINT", "SIGTERM", "disconnect"]) {
  process.once(signal, () => void model.close().then(() => process.exit(0)));
}
