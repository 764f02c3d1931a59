import type { Budget } from "./bill/budget.ts";

/** Waits for an upstream, and keeps the hold from expiring meanwhile: what came back after that could not be billed. */
export async function whileWaiting<Result>(budget: Budget, work: Promise<Result>): Promise<Result> {
  const renewing = setInterval(() => void budget.renew(), (budget.hold.holdSeconds / 2) * 1000);
  try {
    return await work;
  } finally {
    clearInterval(renewing);
  }
}
