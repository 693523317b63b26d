/** Where mail is handed over and how hard, as `SMTP_URL` says it. */
export type SmtpServer = {
  readonly host: string
  readonly port: number | undefined
  /** TLS from the first byte (`smtps:`). */
  readonly secure: boolean
  /** Without TLS nothing is sent, not even the password. */
  readonly needsTls: boolean
  readonly signIn: { readonly user: string; readonly pass: string } | undefined
  /** Connections kept open, and mails to each before another takes its place. */
  readonly connections: number
  readonly mailsEach: number
  /** Mails a second over all of them; undefined where nobody counts. */
  readonly perSecond: number | undefined
}

const settings = ['connections', 'messages', 'rate', 'tls']

/**
 * Reads `smtp://user:password@host:port?connections=5&messages=100&rate=20&tls=required`, or says what is wrong with it.
 * Over the network TLS is required unless `tls=opportunistic`; on this machine it is used where it is offered.
 */
export function readSmtpUrl(text: string): SmtpServer | { readonly problem: string } {
  if (!/^smtps?:\/\//.test(text) || !URL.canParse(text))
    return { problem: 'expected smtp://user:password@host:port' }
  const url = new URL(text)
  const host = url.hostname.replace(/^\[(.*)\]$/, '$1')
  if ([...url.searchParams.keys()].some((name) => !settings.includes(name)))
    return { problem: `takes nothing after the ? but ${settings.join(', ')}` }
  if (host === '') return { problem: 'expected a host' }

  const connections = whole(url, 'connections', 100) ?? 5
  const mailsEach = whole(url, 'messages', 100_000) ?? 100
  const perSecond = whole(url, 'rate', 100_000)
  if (Number.isNaN(connections)) return { problem: 'connections is a whole number from 1 to 100' }
  if (Number.isNaN(mailsEach)) return { problem: 'messages is a whole number from 1 to 100000' }
  if (Number.isNaN(perSecond)) return { problem: 'rate is a whole number of mails a second from 1 to 100000' }
  const tls = url.searchParams.get('tls') ?? (isThisMachine(host) ? 'opportunistic' : 'required')
  if (tls !== 'required' && tls !== 'opportunistic') return { problem: 'tls is required or opportunistic' }
  return {
    ...{ host, port: url.port === '' ? undefined : Number(url.port), secure: url.protocol === 'smtps:' },
    needsTls: tls === 'required',
    signIn: url.username === '' ? undefined : { user: decoded(url.username), pass: decoded(url.password) },
    ...{ connections, mailsEach, perSecond },
  }
}

/** Undefined when it is not there, and not a number when it is not one within bounds. */
function whole(url: URL, name: string, most: number): number | undefined {
  const value = url.searchParams.get(name)
  if (value === null) return undefined
  return /^[1-9]\d{0,5}$/.test(value) && Number(value) <= most ? Number(value) : Number.NaN
}

function isThisMachine(host: string): boolean {
  return /^(?:localhost|127(?:\.\d+){3}|::1)$/.test(host)
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part)
  } catch {
    return part
  }
}
