import { once } from 'node:events'
import { createServer, type Socket } from 'node:net'

/** The moment of an SMTP session at which something happens; "message" is in the middle of it, "dot" after its end. */
export type Phase = 'greeting' | 'EHLO' | 'MAIL' | 'RCPT' | 'DATA' | 'message' | 'dot' | 'answered'

/** What the server does at a phase instead of going on: say something, then reset the connection or not. */
export type Act = { readonly say?: string; readonly reset?: boolean }

export type ScriptedServer = {
  readonly url: string
  /** Messages that came to their end, in order, whatever was answered: the witness. */
  readonly messages: string[]
  readonly sessions: () => number
  close(): Promise<void>
}

/**
 * A mail server that follows SMTP to the letter until `script` says otherwise: it is asked at every phase, with how many
 * mails the session has taken before.
 */
export async function startScriptedSmtp(
  script: (phase: Phase, taken: number) => Act | undefined,
  { pipelining = true } = {},
): Promise<ScriptedServer> {
  const messages: string[] = []
  const sockets = new Set<Socket>()
  let sessions = 0

  const server = createServer((socket) => {
    sessions += 1
    sockets.add(socket)
    socket.on('error', () => {})
    let taken = 0
    let rest = ''
    let message: string | undefined
    let isOver = false

    /** Returns false when the script took over. */
    function at(phase: Phase, usual?: string): boolean {
      const act = script(phase, taken)
      const say = act?.say ?? (act ? '' : (usual ?? ''))
      if (!act?.reset) {
        socket.write(say)
        return act === undefined
      }
      isOver = true
      // Reset only after what is said has gone out, or it would go down with the connection.
      socket.write(say || '', () => setTimeout(() => socket.resetAndDestroy(), say ? 50 : 0))
      return false
    }

    function command(line: string): void {
      const verb = line.slice(0, 4).toUpperCase()
      if (verb === 'EHLO')
        at('EHLO', `250-mail.example.test\r\n${pipelining ? '250-PIPELINING\r\n' : ''}250 8BITMIME\r\n`)
      else if (verb === 'MAIL') at('MAIL', '250 ok\r\n')
      else if (verb === 'RCPT') at('RCPT', '250 ok\r\n')
      else if (verb === 'DATA') message = at('DATA', '354 go ahead\r\n') ? '' : undefined
      else if (verb === 'QUIT') socket.write('221 bye\r\n')
      else socket.write(verb === 'RSET' ? '250 ok\r\n' : '502 not here\r\n')
    }

    function end(): void {
      messages.push(message ?? '')
      message = undefined
      if (!at('dot', '250 2.0.0 ok: queued as ABC\r\n')) return
      taken += 1
      at('answered')
    }

    socket.setEncoding('latin1').on('data', (chunk: string) => {
      rest += chunk
      for (;;) {
        if (isOver) return
        if (message === undefined) {
          const [, line, after] = /^(.*?)\r\n([\s\S]*)$/.exec(rest) ?? []
          if (line === undefined || after === undefined) return
          rest = after
          command(line)
          continue
        }
        if (rest.length > 0 && !at('message')) return
        const [whole, after] = splitOnce(message + rest, '\r\n.\r\n')
        message = whole
        rest = after ?? ''
        if (after === undefined) return
        end()
      }
    })
    at('greeting', '220 mail.example.test ESMTP\r\n')
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const bound = server.address()
  if (bound === null || typeof bound === 'string') throw new Error('The server is not on a port')
  return {
    url: `smtp://127.0.0.1:${bound.port}`,
    messages,
    sessions: () => sessions,
    async close() {
      for (const socket of sockets) socket.destroy()
      server.close()
      await once(server, 'close')
    },
  }
}

function splitOnce(text: string, by: string): readonly [string, string | undefined] {
  const at = text.indexOf(by)
  return at < 0 ? [text, undefined] : [text.slice(0, at), text.slice(at + by.length)]
}
