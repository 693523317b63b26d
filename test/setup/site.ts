import { spawn } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { listOutbox, type OutboxMail, readOutboxMail } from '../../src/mail/read-outbox.ts'
import { freePort } from './free-port.ts'
import { copyEmbeddedInto } from './own-database.ts'

/** The product as `npm start` runs it, in a process and a data folder of its own. */
export type Site = {
  readonly url: string
  /** The mails in the outbox to one address, oldest first. */
  mailsTo(address: string): Promise<readonly OutboxMail[]>
  /** Waits for a mail to an address whose subject matches. Throws after 75 seconds: longer than the minute in which a missed wake-up is made good. */
  mailTo(address: string, subject: RegExp): Promise<OutboxMail>
  stop(): Promise<void>
}

/** Starts the site and waits for its screen. `env` adds to an otherwise empty configuration. */
export async function startSite(env: Readonly<Record<string, string>> = {}): Promise<Site> {
  const dataDir = await mkdtemp(join(tmpdir(), 'verdict-site-'))
  if (!env.DATABASE_URL) await copyEmbeddedInto(dataDir)
  const port = await freePort()
  const child = spawn(process.execPath, ['src/cli.ts', 'start'], {
    cwd: join(import.meta.dirname, '../..'),
    env: {
      PATH: process.env.PATH,
      ...(process.env.NODE_COMPILE_CACHE && { NODE_COMPILE_CACHE: process.env.NODE_COMPILE_CACHE }),
      DATA_DIR: dataDir,
      PORT: String(port),
      ...env,
    },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  await new Promise<void>((resolve, reject) => {
    let screen = ''
    child.stdout.on('data', (chunk: Buffer) => {
      screen += chunk.toString()
      if (screen.includes('Ctrl-C stops')) resolve()
    })
    child.once('exit', (code) => reject(new Error(`The site ended with ${code}:\n${screen}`)))
  })
  const folder = join(dataDir, 'outbox')

  async function mailsTo(address: string) {
    const { entries } = await listOutbox(folder, { count: 1000 })
    const ids = entries
      .filter((entry) => entry.kind !== 'unreadable' && entry.to.includes(address))
      .map(({ id }) => id)
    const mails = await Promise.all(ids.reverse().map((id) => readOutboxMail(folder, id)))
    return mails.filter((mail) => mail !== undefined)
  }

  return {
    url: `http://localhost:${port}`,
    mailsTo,
    async mailTo(address, subject) {
      for (
        const until = Date.now() + 75_000;
        Date.now() < until;
        await new Promise((wake) => setTimeout(wake, 200))
      ) {
        const mail = (await mailsTo(address)).findLast((one) => subject.test(one.subject))
        if (mail) return mail
      }
      throw new Error(`No mail to ${address} with a subject like ${subject}`)
    },
    async stop() {
      const ended = new Promise((resolve) => child.once('exit', resolve))
      child.kill('SIGINT')
      await ended
      await rm(dataDir, { recursive: true, force: true })
    },
  }
}
