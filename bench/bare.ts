/** A bare Hono route with an answer of the size of `POST /v1/spend`: the most that HTTP itself allows here. */
import { serve } from "@hono/node-server";
import { Hono } from "hono";

const app = new Hono();
app.post("/v1/spend", async (context) => {
  const body = await context.req.json<{ id: string; amount: string }>();
  return context.json({ id: body.id, charged: body.amount, available: "999999.5" });
});
serve({ fetch: app.fetch, port: 0, hostname: "127.0.0.1" }, ({ port }) => {
  process.stdout.write(`ready http://127.0.0.1:${port}\n`);
});
