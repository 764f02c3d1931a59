import { readFaultWords } from "./directive.ts";
import type { Settings } from "./settings.ts";

export interface Fault {
  /** The words of a directive, such as `status=500` or `cut_after=3`. */
  directive: string;
  /** How many requests it meets; 1 when absent. */
  times?: number | undefined;
  /** Lets this many matching requests pass first. */
  after?: number | undefined;
  model?: string | undefined;
  path?: string | undefined;
}

export interface Faults {
  /** Throws when the directive makes no sense: in a test that is a bug. */
  add(fault: Fault): void;
  clear(): void;
  /** What is still to come, in order. */
  list(): CountedFault[];
  /** Uses up the first fault that fits the request. */
  take(request: { path: string; model: string }): Settings;
}

type CountedFault = Fault & { times: number; after: number };

interface PendingFault {
  fault: CountedFault;
  settings: Settings;
}

/** Faults are used up in the order in which they were added, one a request. */
export function createFaults(): Faults {
  let pending: PendingFault[] = [];
  return {
    add(fault) {
      const reading = readFaultWords(fault.directive);
      if (reading.kind === "bad") throw new Error(reading.reason);
      const counted = { ...fault, times: fault.times ?? 1, after: fault.after ?? 0 };
      pending.push({ fault: counted, settings: reading.settings });
    },
    clear() {
      pending = [];
    },
    list: () => pending.map(({ fault }) => ({ ...fault })),
    take(request) {
      const found = pending.find(({ fault }) => fits(fault, request));
      if (!found) return {};
      if (found.fault.after > 0) {
        found.fault.after -= 1;
        return {};
      }
      found.fault.times -= 1;
      pending = pending.filter(({ fault }) => fault.times > 0);
      return found.settings;
    },
  };
}

function fits(fault: Fault, request: { path: string; model: string }): boolean {
  const modelFits = fault.model === undefined || fault.model === request.model;
  return modelFits && (fault.path === undefined || fault.path === request.path);
}
