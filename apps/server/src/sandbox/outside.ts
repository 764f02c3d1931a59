import { type SandboxMail, startSandboxMail } from "@bursar/sandbox/mail";
import { type SandboxModel, startSandboxModel } from "@bursar/sandbox/model";

/** The outside world in a box. */
export interface Outside {
  readonly model: SandboxModel;
  /** null where a real mail server is set. */
  readonly mail: SandboxMail | null;
  close(): Promise<void>;
}

export interface OutsideRequest {
  readonly dataDir: string;
  readonly hasMail: boolean;
  /** The sandbox's time. */
  readonly now: () => Date;
}

/** Starts what stands for the world outside, each with a real protocol on a port of its own. */
export async function startOutside({ dataDir, hasMail, now }: OutsideRequest): Promise<Outside> {
  const [model, mail] = await Promise.all([
    startSandboxModel(),
    hasMail ? startSandboxMail({ folder: `${dataDir}/mail`, now }) : null,
  ]);
  return {
    model,
    mail,
    close: async () => {
      await Promise.all([model.close(), mail?.close()]);
    },
  };
}
