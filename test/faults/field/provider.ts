import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Order, Stats } from '../../setup/provider/control.ts'
import type { Requested, Witnessed } from '../../setup/provider/witness.ts'

/** The fake provider in a process of its own; its logs are the witness. */
export type ProviderProcess = {
  readonly url: string
  /** Every mail that it accepted so far. */
  witnessed(): readonly Witnessed[]
  /** Every request that it has seen so far. */
  requested(): readonly Requested[]
  carryOut(order: Order): Promise<Stats>
  end(): Promise<void>
}

const script = new URL('../../setup/fake-provider.ts', import.meta.url).pathname

/** Starts it with options as its command line takes them; its logs lie in the folder. */
export async function startProvider(
  folder: string,
  options: readonly string[] = [],
): Promise<ProviderProcess> {
  const log = join(folder, 'witness.ndjson')
  const requests = join(folder, 'requests.ndjson')
  const child = spawn(
    process.execPath,
    [script, '--control', '--log', log, '--requests', requests, ...options],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  )
  const [said] = await once(child.stdout, 'data')
  const [url = '', control = ''] = String(said).trim().split('\n')
  return {
    url,
    witnessed: () => lines<Witnessed>(log),
    requested: () => lines<Requested>(requests),
    async carryOut(order) {
      const answer = await fetch(`${control}/__control`, { method: 'POST', body: JSON.stringify(order) })
      if (!answer.ok) throw new Error(`The provider does not take ${JSON.stringify(order)}`)
      return (await answer.json()) as Stats
    },
    async end() {
      if (child.exitCode !== null || child.signalCode !== null) return
      const exit = once(child, 'exit')
      child.kill('SIGKILL')
      await exit
    },
  }
}

function lines<T>(file: string): readonly T[] {
  if (!existsSync(file)) return []
  return readFileSync(file, 'utf8')
    .split('\n')
    .filter(Boolean)
    .map((line): T => JSON.parse(line))
}
