import { createHash } from 'node:crypto'
import MailComposer, { type MailComposerOptions } from 'nodemailer/lib/mail-composer'
import type { MimeNodeHeaderValue } from 'nodemailer/lib/mime-node'
import type { Mail } from './email.ts'
import { lineEncoder } from './quoted-printable.ts'

/** An address with the name shown beside it, which may be empty. */
export type Mailbox = { readonly name: string; readonly address: string }

/** The mail as an RFC 5322 message with CRLF line ends. The same mail at the same instant gives the same bytes. */
export async function writeMessage(mail: Mail, at: Temporal.Instant): Promise<Buffer> {
  return await new MailComposer({ ...composition(mail, at), newline: 'windows' }).compile().build()
}

/**
 * The mail as nodemailer composes it: text and HTML alternatives, with nothing left to chance or to the machine's clock.
 * Whoever writes many mails hands the same `encode` to each.
 */
export function composition(mail: Mail, at: Temporal.Instant, encode = lineEncoder()): MailComposerOptions {
  return {
    from: { ...mailbox(mail.from) },
    to: { name: '', address: mail.to },
    ...(mail.replyTo === undefined ? {} : { replyTo: { ...mailbox(mail.replyTo) } }),
    subject: mail.subject,
    messageId: messageId(mail),
    date: new Date(at.epochMilliseconds),
    headers: Object.entries(mail.headers).map(([key, value]) => ({ key, value: unfolded(value) })),
    text: { raw: part('plain', encode(mail.text)) },
    html: { raw: part('html', encode(mail.html)) },
    baseBoundary: boundary(mail),
    normalizeHeaderKey: (name) => (name === 'List-ID' ? 'List-Id' : name),
    xMailer: false,
    disableFileAccess: true,
    disableUrlAccess: true,
  }
}

function part(kind: 'plain' | 'html', body: string): string {
  return `Content-Type: text/${kind}; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n${body}`
}

/** Splits `Name <address>` at its last bracket, so a comma in the name never makes two senders. */
export function mailbox(text: string): Mailbox {
  const named = /^(.*)<([^<>]*)>\s*$/s.exec(text)
  if (!named) return { name: '', address: text.trim() }
  return { name: unquoted(named[1] ?? ''), address: (named[2] ?? '').trim() }
}

/** A link stays on the line of its header's name: folding before it is legal, yet not every mail program unfolds. */
function unfolded(value: string): MimeNodeHeaderValue {
  return /^[\x21-\x7e]{1,900}$/.test(value) ? { prepared: true, foldLines: false, value } : value
}

/** `<id@domain of the sender>`: stable across attempts, so a receiver can tell a repeat. */
function messageId(mail: Mail): string {
  const { address } = mailbox(mail.from)
  return `<${mail.id}@${address.slice(address.lastIndexOf('@') + 1)}>`
}

/** Hashed from the bodies, so neither can hold the line that would end it early. */
function boundary({ id, text, html }: Mail): string {
  return createHash('sha256')
    .update(JSON.stringify([id, text, html]))
    .digest('hex')
    .slice(0, 32)
}

function unquoted(name: string): string {
  return name
    .replace(/[\r\n]+/g, ' ')
    .trim()
    .replace(/^"(.*)"$/, '$1')
}
