/** Folders whose every file is somebody's secret, or git's and Bursar's own. */
const SECRET_FOLDERS = new Set([
  ".git",
  ".bursar",
  ".ssh",
  ".aws",
  ".gnupg",
  ".kube",
  ".azure",
  ".docker",
  "gcloud",
]);

const SECRET_FILES: readonly RegExp[] = [
  /^\.env(?:rc)?(?:\..+)?$/,
  /\.env$/,
  /\.(?:pem|key|p12|pfx|jks|keystore|kdbx|ppk|asc|tfstate|tfvars)$/,
  /^id_(?:rsa|dsa|ecdsa|ed25519)(?:_sk)?$/,
  /^\.(?:npmrc|yarnrc\.yml|netrc|pypirc|pgpass|htpasswd|git-credentials|dockercfg|vault-token)$/,
  /^(?:_netrc|credentials|kubeconfig|sign-ins\.json)$/,
  /^(?:credentials?|secrets?|service-?account.*)\.(?:json|ya?ml|toml|ini|txt)$/,
];

const HARMLESS = /^\.env\.(?:example|sample|template|dist|defaults)$/;

/** Whether a path, with forward slashes from the project's root, names what an agent may not touch without asking. */
export function isSecret(path: string): boolean {
  const steps = path.toLowerCase().split("/");
  const name = steps.at(-1) ?? "";
  if (steps.some((step) => SECRET_FOLDERS.has(step))) return true;
  return !HARMLESS.test(name) && SECRET_FILES.some((pattern) => pattern.test(name));
}
