import { randomUUID } from 'node:crypto'
import type { Kysely } from 'kysely'
import type { Database } from '../../db/schema.ts'
import type { Clock } from '../clock.ts'
import type { Log } from '../log.ts'
import type { Mail, Transport } from '../mail/email.ts'
import type { MailTemplates } from '../mail/mail-templates.ts'
import { printable } from '../mail/printable.ts'
import type { WireFacts } from '../mail/wire.ts'
import { codeMinutes } from './door.ts'
import { postNow } from './post-now.ts'

export type CodeMailDeps = {
  readonly db: Kysely<Database>
  readonly clock: Clock
  readonly log: Log
  readonly transport: Transport
  readonly letterTemplates: MailTemplates
  readonly wire: WireFacts
  readonly setting: { readonly postalAddress: string }
}

/** Sends a code now, not with the letters: whoever asked for it is waiting. The log never has the code or the address. */
export async function mailCode(deps: CodeMailDeps, to: string, code: string): Promise<void> {
  const id = randomUUID()
  const mail = setCodeMail(deps, { id, to, code })
  await postNow(deps, mail, `wv1/code/${id}/1`, { words: 'code for an editor', facts: { code: id } })
}

/** The mail with the code, in the letters' own hand. The code is in no header, where servers would write it down. */
export function setCodeMail(
  { letterTemplates, wire, setting }: Pick<CodeMailDeps, 'letterTemplates' | 'wire' | 'setting'>,
  { id, to, code }: { readonly id: string; readonly to: string; readonly code: string },
): Mail {
  const subject = 'Your code for the desk'
  const view = {
    ...{ subject, preheaderEnd: '', postalAddress: printable(setting.postalAddress) },
    preheader: `${code} signs you in. It works once, for ${codeMinutes} minutes.`,
    heading: code,
    paragraphs: [
      `This code signs you in at the desk of Weekly AI Tool Verdicts. It works once, for ${codeMinutes} minutes, and only the newest one counts.`,
      'Type it into the page that asked for it, and nowhere else. Nobody of us will ever ask you for it.',
    ],
    ...{ items: [], button: undefined, links: [] },
    afterwards: [
      'If it was not you who asked, do nothing: without this code nobody gets in. Somebody has typed your address at the desk.',
    ],
    why: 'You get this mail because your address is among the editors of Weekly AI Tool Verdicts.',
  }
  return {
    id: `code.${id}`,
    from: wire.from,
    ...(wire.replyTo && { replyTo: wire.replyTo }),
    ...{ to, subject, html: letterTemplates.html(view), text: letterTemplates.text(view) },
    headers: { 'Auto-Submitted': 'auto-generated', 'X-Auto-Response-Suppress': 'All' },
    tags: { kind: 'code' },
  }
}
