import type { AddressInfo } from 'node:net'
import { serve } from '@hono/node-server'
import type { Hono } from 'hono'

/** A listening web server. `stop` takes no new connection and ends the open ones when they have been answered. */
export type WebServer = { readonly port: number; stop(): Promise<void> }

/** Thrown when the address cannot be listened on, with what to do about it. */
export class CannotListen extends Error {
  override readonly name = 'CannotListen'
}

/** Listens, with limits on how long and how often one client may keep a connection busy (RELIABILITY S15). */
export function startWeb(app: Hono, at: { host: string; port: number }): Promise<WebServer> {
  return new Promise((resolve, reject) => {
    const server = serve({
      fetch: app.fetch,
      hostname: at.host,
      port: at.port,
      serverOptions: {
        headersTimeout: 10_000,
        requestTimeout: 20_000,
        keepAliveTimeout: 5_000,
        connectionsCheckingInterval: 1_000,
      },
    })
    if ('maxConnections' in server) server.maxConnections = 1_000
    server.once('error', (error: NodeJS.ErrnoException) => reject(new CannotListen(whyNot(error, at))))
    server.once('listening', () => {
      resolve({
        port: (server.address() as AddressInfo).port,
        stop: () =>
          new Promise((done) => {
            server.close(() => done())
            if ('closeIdleConnections' in server) server.closeIdleConnections()
            setTimeout(() => 'closeAllConnections' in server && server.closeAllConnections(), 5_000).unref()
          }),
      })
    })
  })
}

function whyNot({ code }: NodeJS.ErrnoException, { host, port }: { host: string; port: number }): string {
  switch (code) {
    case 'EADDRINUSE':
      return `Port ${port} on ${host} is in use by another program. Stop that one, or set PORT to a free port.`
    case 'EACCES':
      return `Port ${port} on ${host} may not be used by this account. Set PORT to one above 1023.`
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
      return `This machine has no address ${host}. Set HOST to 127.0.0.1, or to 0.0.0.0 for every address.`
    default:
      return `Cannot listen on ${host}:${port} (${code}).`
  }
}
