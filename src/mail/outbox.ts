import { randomUUID } from 'node:crypto'
import { access, mkdir, open, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Clock } from '../clock.ts'
import type { Mail, SendOutcome, Transport } from './email.ts'
import { inFlight } from './in-flight.ts'
import { writeMessage } from './message.ts'
import { isOutboxId, outboxFile } from './outbox-file.ts'

type Deps = { readonly folder: string; readonly clock: Clock }
type Draft = { readonly written: string; readonly final: string }

/** Mail into files that a person can look at: one `<mail.id>.eml` each. A mail whose file is there already counts as accepted. */
export function outboxTransport({ folder, clock }: Deps): Transport {
  const calls = inFlight()
  return {
    name: 'outbox',
    most: { mails: 100, bytes: 4_000_000 },
    concurrency: 4,
    repeatable: true,
    send: (mails) => calls.run(putAway({ folder, clock }, mails)),
    close: () => calls.settled(),
  }
}

/** Every mail is safely on disk under another name before the first takes its own, so a full disk accepts none. */
async function putAway({ folder, clock }: Deps, mails: readonly Mail[]): Promise<SendOutcome> {
  if (!mails.every((mail) => isOutboxId(mail.id))) {
    return { kind: 'rejected', reason: 'a mail id that is not safe in a file name' }
  }
  const drafts: Draft[] = []
  try {
    await mkdir(folder, { recursive: true })
    await everyOne(mails.map((mail) => draft({ folder, clock }, mail, drafts)))
  } catch (error) {
    await Promise.allSettled(drafts.map(({ written }) => rm(written, { force: true })))
    return withoutAccepting(error, folder)
  }
  try {
    for (const { written, final } of drafts) await rename(written, final)
    await flushFolder(folder)
  } catch (error) {
    return { kind: 'unknown', reason: `the outbox ${folder} failed part of the way (${codeOf(error)})` }
  }
  return { kind: 'accepted', providerIds: mails.map((mail) => `outbox:${mail.id}`) }
}

async function draft({ folder, clock }: Deps, mail: Mail, drafts: Draft[]): Promise<void> {
  const final = outboxFile(folder, mail.id)
  if (await isThere(final)) return

  const written = join(folder, `.${randomUUID()}.part`)
  drafts.push({ written, final })
  await using file = await open(written, 'wx')
  await file.writeFile(await writeMessage(tagged(mail), clock()))
  await file.sync()
}

/** What a provider would keep as tags is shown as headers, because here nobody else keeps it. */
function tagged(mail: Mail): Mail {
  const tags = Object.entries(mail.tags).map(([name, value]) => [`X-Weekly-Verdict-${capital(name)}`, value])
  return { ...mail, headers: { ...mail.headers, ...Object.fromEntries(tags) } }
}

/** Waits for all before it fails, so nothing is still being written when the clearing up begins. */
async function everyOne(writes: readonly Promise<void>[]): Promise<void> {
  for (const write of await Promise.allSettled(writes)) {
    if (write.status === 'rejected') throw write.reason
  }
}

/** A rename is only certain to survive a power cut once the folder itself is on disk. */
async function flushFolder(folder: string): Promise<void> {
  await using handle = await open(folder, 'r')
  await handle.sync()
}

const mends: Readonly<Record<string, string>> = {
  ENOSPC: 'the disk is full: make room',
  EDQUOT: 'the disk quota is used up: make room',
  EACCES: 'no permission: let this process write there',
  EPERM: 'no permission: let this process write there',
  EROFS: 'the file system is read-only: choose another DATA_DIR',
  ENOTDIR: 'part of the path is a file: choose another DATA_DIR',
  EEXIST: 'a file has the name of the folder: choose another DATA_DIR',
}

/** Running out of handles passes by itself; everything else waits for a person. */
function withoutAccepting(error: unknown, folder: string): SendOutcome {
  const code = codeOf(error)
  if (code === 'EMFILE' || code === 'ENFILE') {
    return {
      kind: 'retry',
      after: Temporal.Duration.from({ seconds: 5 }),
      reason: `too many open files (${code})`,
    }
  }
  return {
    kind: 'halt',
    reason: `cannot write to the outbox ${folder}: ${mends[code] ?? 'look at the disk'} (${code})`,
  }
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : String(error)
}

function isThere(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  )
}

function capital(word: string): string {
  return word.charAt(0).toUpperCase() + word.slice(1)
}
