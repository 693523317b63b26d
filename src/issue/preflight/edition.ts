import { createHash } from 'node:crypto'
import type { Mail } from '../../mail/email.ts'
import { imagesFinding, structureFinding } from './accessibility.ts'
import { clientsFinding, readBaseline } from './clients.ts'
import { contrastFinding } from './contrast.ts'
import { readMail } from './document.ts'
import type { Finding } from './finding.ts'
import { ratiosFinding, spamFinding } from './spam.ts'
import { textFinding } from './text-part.ts'

/** Raised by hand whenever a rule below finds something else in the same mail: what was kept of an edition is then made anew. */
const rules = 1

/** Names the rules and what they go by, so that findings by others are not taken for theirs. */
export function rulesVersion(): string {
  version ??= createHash('sha256')
    .update(`${rules}\n${JSON.stringify(readBaseline())}`)
    .digest('hex')
    .slice(0, 12)
  return version
}
let version: string | undefined

/** What takes a reading of the whole edition, and depends on nothing but its bytes. */
export async function editionFindings(
  mail: Pick<Mail, 'subject' | 'html' | 'text'> & { readonly preheader: string },
): Promise<readonly Finding[]> {
  const document = await readMail(mail.html)
  return [
    textFinding(document, mail.text),
    imagesFinding(document),
    structureFinding(document),
    contrastFinding(document),
    await clientsFinding(mail.html),
    spamFinding(mail),
    ratiosFinding(document, mail),
  ]
}
