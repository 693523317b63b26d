import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { Order } from './sender.ts'

/** What a worker on a small machine is started with (README): a little slower, at half of the memory. */
const small = ['--max-semi-space-size=2', '--max-old-space-size=96']

/** A sending process with the environment of `verdict send`. It says when it is ready, and begins when it is told to. */
export function startSender(
  order: Order,
  at: {
    readonly databaseUrl: string
    readonly dataDir: string
    readonly providerUrl: string
    readonly publicUrl: string
    readonly heap: 'as it comes' | 'small'
  },
): ChildProcess {
  const child = fork(fileURLToPath(new URL('./sender.ts', import.meta.url)), [JSON.stringify(order)], {
    execArgv: at.heap === 'small' ? small : [],
    env: {
      ...process.env,
      ...{ DATABASE_URL: at.databaseUrl, DATA_DIR: at.dataDir },
      ...(at.heap === 'small' && { MALLOC_ARENA_MAX: '1' }),
      ...{ MAIL_TRANSPORT: 'resend', RESEND_API_KEY: 're_bench', RESEND_BASE_URL: at.providerUrl },
      ...{ SIGNING_KEYS: `k1:${Buffer.alloc(32, 7).toString('base64')}`, PUBLIC_URL: at.publicUrl },
    },
  })
  child.on('exit', (code, signal) => {
    if (code !== 0) throw new Error(`A sender ended with ${code ?? signal}`)
  })
  return child
}

/** A provider that takes everything and keeps nothing. */
export async function startDrain(bytesPerMail: number): Promise<{ providerUrl: string; stop(): void }> {
  const child = fork(fileURLToPath(new URL('./drain.ts', import.meta.url)), [String(bytesPerMail)])
  const [{ port }] = (await once(child, 'message')) as [{ port: number }]
  return { providerUrl: `http://127.0.0.1:${port}`, stop: () => child.disconnect() }
}

/** CPU seconds of every PostgreSQL process of this machine so far, those that have ended included. */
export function postgresSeconds(): number {
  let ticks = 0
  for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    try {
      const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
      if (!stat.includes('(postgres)')) continue
      const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
      ticks += fields.slice(11, 15).reduce((sum, field) => sum + Number(field), 0)
    } catch {
      // It has just ended; its parent counts it from now on.
    }
  }
  return ticks / 100
}
