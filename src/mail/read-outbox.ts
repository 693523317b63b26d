import { open, readdir, readFile, stat } from 'node:fs/promises'
import PostalMime, { type Email, type Header } from 'postal-mime'
import { isOutboxId, outboxFile } from './outbox-file.ts'

/** One line of the outbox list; a file that cannot be read as a mail is listed as that. `size` is in bytes. */
export type OutboxEntry =
  | {
      readonly kind: 'mail'
      readonly id: string
      readonly subject: string
      readonly to: string
      readonly date: Temporal.Instant | undefined
      readonly size: number
    }
  | { readonly kind: 'unreadable'; readonly id: string; readonly reason: string }

/** A page of the outbox, and how many mails there are in all. */
export type OutboxPage = { readonly total: number; readonly entries: readonly OutboxEntry[] }

/** A mail taken apart: headers in their order, both bodies, and the message as it lies in the file. */
export type OutboxMail = {
  readonly id: string
  readonly subject: string
  readonly from: string
  readonly to: string
  readonly date: Temporal.Instant | undefined
  readonly headers: readonly { readonly name: string; readonly value: string }[]
  readonly html: string
  readonly text: string
  readonly source: Buffer
}

const HEAD_BYTES = 16_384

/** Newest first, by when the file was written. A folder that is not there yet is an empty outbox. */
export async function listOutbox(folder: string, { from = 0, count = 50 } = {}): Promise<OutboxPage> {
  const newest = await newestFirst(folder)
  return {
    total: newest.length,
    entries: await Promise.all(newest.slice(from, from + count).map((id) => readEntry(folder, id))),
  }
}

/** The mail of that id, or undefined when there is none or the id could not be one. */
export async function readOutboxMail(folder: string, id: string): Promise<OutboxMail | undefined> {
  if (!isOutboxId(id)) return undefined
  const source = await readFile(outboxFile(folder, id)).catch(absent)
  if (!source) return undefined

  const email = await PostalMime.parse(source)
  return {
    id,
    ...summary(email),
    headers: email.headers.map(shown),
    html: email.html ?? '',
    text: email.text ?? '',
    source,
  }
}

async function newestFirst(folder: string): Promise<string[]> {
  const names = (await readdir(folder).catch(absent)) ?? []
  const ids = names.filter((name) => name.endsWith('.eml')).map((name) => name.slice(0, -'.eml'.length))
  const dated = await Promise.all(
    ids.filter(isOutboxId).map(async (id) => ({ id, at: await writtenAt(folder, id) })),
  )
  return dated.sort((a, b) => b.at - a.at || (a.id < b.id ? 1 : -1)).map(({ id }) => id)
}

/** Milliseconds since 1970; a file that has gone meanwhile sorts last. */
async function writtenAt(folder: string, id: string): Promise<number> {
  return (await stat(outboxFile(folder, id)).catch(absent))?.mtimeMs ?? 0
}

async function readEntry(folder: string, id: string): Promise<OutboxEntry> {
  try {
    await using file = await open(outboxFile(folder, id), 'r')
    const { size } = await file.stat()
    const { buffer, bytesRead } = await file.read(Buffer.alloc(HEAD_BYTES), 0, HEAD_BYTES, 0)
    const email = await PostalMime.parse(headOf(buffer.subarray(0, bytesRead)))
    if (!email.from || !email.to) return { kind: 'unreadable', id, reason: 'it names no sender or no reader' }

    const { subject, to, date } = summary(email)
    return { kind: 'mail', id, subject, to, date, size }
  } catch (error) {
    return {
      kind: 'unreadable',
      id,
      reason: error instanceof Error && 'code' in error ? String(error.code) : 'not a mail',
    }
  }
}

/** Up to the empty line that ends the headers, which is all a list needs. */
function headOf(bytes: Buffer): Buffer {
  const end = bytes.indexOf('\r\n\r\n')
  return end === -1 ? bytes : bytes.subarray(0, end + 4)
}

function summary(email: Email): Pick<OutboxMail, 'subject' | 'from' | 'to' | 'date'> {
  return {
    subject: email.subject ?? '',
    from: named(email.from),
    to: named(email.to?.[0]),
    date: instant(email.date),
  }
}

function named(address: Email['from']): string {
  if (!address?.address) return address?.name ?? ''
  return address.name ? `${address.name} <${address.address}>` : address.address
}

function instant(date: string | undefined): Temporal.Instant | undefined {
  const milliseconds = Date.parse(date ?? '')
  return Number.isNaN(milliseconds) ? undefined : Temporal.Instant.fromEpochMilliseconds(milliseconds)
}

function shown({ originalKey, value }: Header): { name: string; value: string } {
  return { name: originalKey, value }
}

function absent(error: NodeJS.ErrnoException): undefined {
  if (!['ENOENT', 'ENOTDIR', 'EISDIR'].includes(error.code ?? '')) throw error
}
