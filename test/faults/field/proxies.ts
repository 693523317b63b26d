import { once } from 'node:events'
import { connect, createServer, type Server, type Socket } from 'node:net'
import type { Network } from './network.ts'

/** Loopback proxies, one for each line and address. A cut line carries nothing, and nobody is told: as a cable that was pulled. */
export function openProxies(): Network {
  const servers: Server[] = []
  const sockets: { line: number; socket: Socket }[] = []
  const cut = new Set<number>()

  async function seenFrom(line: number, url: string): Promise<string> {
    const { port, hostname } = new URL(url)
    const server = createServer((near) => {
      const far = connect(Number(port), hostname)
      for (const [one, other] of [
        [near, far],
        [far, near],
      ] as const) {
        sockets.push({ line, socket: one })
        one.on('data', (bytes) => other.write(bytes))
        one.on('close', () => other.destroy())
        one.on('error', () => {})
        if (cut.has(line)) one.pause()
      }
    })
    servers.push(server)
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    const bound = server.address()
    const here = new URL(url)
    here.hostname = '127.0.0.1'
    here.port = String(bound && typeof bound === 'object' ? bound.port : 0)
    return here.href
  }

  const onLine = (line: number) => sockets.filter((one) => one.line === line).map(({ socket }) => socket)
  return {
    ...{ kind: 'proxies', host: '127.0.0.1', clients: '127.0.0.1/32' },
    ...{ prefix: () => [], seenFrom },
    async cut(line) {
      cut.add(line)
      for (const socket of onLine(line)) socket.pause()
    },
    async mend(line) {
      cut.delete(line)
      for (const socket of onLine(line)) socket.resume()
    },
    async close() {
      for (const { socket } of sockets) socket.destroy()
      for (const server of servers) server.close()
    },
  }
}
