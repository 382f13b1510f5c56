/** A setting that names a secret instead of holding it: `aws-secretsmanager:<ARN or name>[?region=<region>]`. */

export interface SecretReference {
  /** ARN or name. */
  readonly id: string;
  /** Where neither the reference nor the ARN names one, AWS's own default chain does. */
  readonly region?: string | undefined;
}

export const REFERENCE_SCHEME = "aws-secretsmanager:";

/** What a reference looks like; remedies show it. */
export const REFERENCE_FORM = `${REFERENCE_SCHEME}<ARN or name>?region=<region>`;

/** https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_CreateSecret.html: letters, digits and /_+=.@- */
const NAME = /^(?!\/\/)[\w/+=.@-]{1,512}$/;
const ARN = /^arn:aws[a-z-]*:secretsmanager:([a-z0-9-]+):\d{12}:secret:[\w/+=.@-]{1,519}$/;
const REGION = /^[a-z]{2}(?:-[a-z]+)+-\d$/;

export const isReference = (text: string): boolean => text.startsWith(REFERENCE_SCHEME);

/** @returns undefined for what is no reference, or not a well-formed one */
export function parseReference(text: string): SecretReference | undefined {
  if (!isReference(text)) return undefined;
  const [id = "", query, ...rest] = text.slice(REFERENCE_SCHEME.length).split("?");
  const arn = ARN.exec(id);
  if (rest.length > 0 || (!arn && !NAME.test(id))) return undefined;
  if (query === undefined) return { id, region: arn?.[1] };
  const region = /^region=(.*)$/.exec(query)?.[1] ?? "";
  return REGION.test(region) ? { id, region } : undefined;
}
