import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { openProxies } from './proxies.ts'

const run = promisify(execFile)

/** A network in which workers are each behind a line of their own, and any line can be cut. */
export type Network = {
  readonly kind: 'namespaces' | 'proxies'
  /** Where the database and the provider listen. */
  readonly host: string
  /** Who may come to the database. */
  readonly clients: string
  /** What stands before a program's name to run it behind that line. */
  prefix(line: number): readonly string[]
  /** An address of the database or the provider, as it is seen from behind that line. */
  seenFrom(line: number, url: string): Promise<string>
  cut(line: number): Promise<void>
  mend(line: number): Promise<void>
  close(): Promise<void>
}

/** Network namespaces on a bridge where the kernel lets us, else loopback proxies; `kind` says which. */
export async function openNetwork(lines: number): Promise<Network> {
  try {
    return await openNamespaces(lines)
  } catch (error) {
    if (process.env.REQUIRE_NAMESPACES)
      throw new Error('Network namespaces need root, iproute2 and CAP_NET_ADMIN', { cause: error })
    return openProxies()
  }
}

/** `lines` namespaces, each with one end of a veth pair whose other end is on a bridge. All of it is named after this process. */
async function openNamespaces(lines: number): Promise<Network> {
  const name = (part: string) => `wv${process.pid % 1_000_000}${part}`
  const subnet = `10.${200 + (process.pid % 50)}.${process.pid % 250}`
  const all = Array.from({ length: lines }, (_, line) => line)
  await using made = new AsyncDisposableStack()

  await ip('link', 'add', name('b'), 'type', 'bridge')
  made.defer(() => ip('link', 'del', name('b')))
  await ip('addr', 'add', `${subnet}.1/24`, 'dev', name('b'))
  await ip('link', 'set', name('b'), 'up')
  for (const line of all) {
    const space = name(`n${line}`)
    await ip('netns', 'add', space)
    made.defer(() => ip('netns', 'del', space))
    await ip('link', 'add', name(`v${line}`), 'type', 'veth', 'peer', 'name', 'eth0', 'netns', space)
    await ip('link', 'set', name(`v${line}`), 'master', name('b'), 'up')
    await ip('-n', space, 'addr', 'add', `${subnet}.${10 + line}/24`, 'dev', 'eth0')
    await ip('-n', space, 'link', 'set', 'eth0', 'up')
    await ip('-n', space, 'link', 'set', 'lo', 'up')
  }
  const kept = made.move()
  return {
    ...{ kind: 'namespaces', host: `${subnet}.1`, clients: `${subnet}.0/24` },
    prefix: (line) => ['ip', 'netns', 'exec', name(`n${line}`)],
    seenFrom: async (_, url) => url,
    cut: (line) => ip('link', 'set', name(`v${line}`), 'down'),
    mend: (line) => ip('link', 'set', name(`v${line}`), 'up'),
    close: () => kept.disposeAsync(),
  }
}

async function ip(...args: string[]): Promise<void> {
  await run('ip', args)
}
