import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { freePort } from './free-port.ts'

const binary = '/usr/sbin/exim4'
const account = 'Debian-exim'

/** A real mail server of our own: a loopback port, a temporary spool, and one Maildir for everybody at example.test. */
export type Exim = {
  readonly url: string
  /** Waits up to ten seconds for so many delivered messages, and reads them. */
  delivered(count: number): Promise<Buffer[]>
  stop(): Promise<void>
}

/** Why Exim cannot run here, or undefined when it can. */
export function whyNoExim(): string | undefined {
  if (!existsSync(binary)) return `${binary} is absent: apt-get install exim4-daemon-light`
  if (process.getuid?.() !== 0) return 'Exim takes a configuration of ours only from root'
}

/** Starts Debian's `exim4-daemon-light` in the foreground; ended by its own process, never by name. Throws where it cannot run. */
export async function startExim(): Promise<Exim> {
  const missing = whyNoExim()
  if (missing) throw new Error(missing)

  const folder = await mkdtemp(join(tmpdir(), 'exim-'))
  await chmod(folder, 0o755)
  for (const part of ['spool', 'log', 'mail']) await mkdir(join(folder, part))
  const port = await freePort()
  await writeFile(join(folder, 'exim.conf'), configuration(folder, port))
  execFileSync('chown', [
    '-R',
    `${account}:${account}`,
    ...['spool', 'log', 'mail'].map((part) => join(folder, part)),
  ])

  const daemon = spawn(binary, ['-C', join(folder, 'exim.conf'), '-bdf'], { stdio: 'inherit' })
  await listening(port, daemon)
  return {
    url: `smtp://127.0.0.1:${port}`,
    delivered: (count) => readMaildir(join(folder, 'mail', 'new'), count),
    async stop() {
      daemon.kill('SIGTERM')
      if (daemon.exitCode === null) await once(daemon, 'exit')
      await rm(folder, { recursive: true, force: true })
    },
  }
}

/** `smtp_accept_queue_per_connection`: by default the eleventh message of a connection would wait for a queue run. */
function configuration(folder: string, port: number): string {
  return `
primary_hostname = mail.example.test
spool_directory = ${folder}/spool
log_file_path = ${folder}/log/%slog
pid_file_path = ${folder}/exim.pid
local_interfaces = 127.0.0.1
daemon_smtp_ports = ${port}
tls_advertise_hosts =
host_lookup =
rfc1413_query_timeout = 0s
smtp_accept_queue_per_connection = 0
deliver_drop_privilege = true
acl_smtp_rcpt = only_ours
begin acl
only_ours:
  accept domains = example.test
  deny
begin routers
everybody:
  driver = accept
  domains = example.test
  transport = maildir
begin transports
maildir:
  driver = appendfile
  directory = ${folder}/mail
  maildir_format
  envelope_to_add
  return_path_add
  user = ${account}
  group = ${account}
`
}

async function readMaildir(folder: string, count: number): Promise<Buffer[]> {
  for (let tries = 0; tries < 100; tries += 1) {
    const names = existsSync(folder) ? await readdir(folder) : []
    if (names.length >= count) return await Promise.all(names.map((name) => readFile(join(folder, name))))
    await wait(100)
  }
  throw new Error(`Exim has not delivered ${count} messages in ten seconds.`)
}

async function listening(port: number, daemon: ChildProcess): Promise<void> {
  for (let tries = 0; tries < 100; tries += 1) {
    if (daemon.exitCode !== null) throw new Error(`Exim ended at once, with ${daemon.exitCode}.`)
    const socket = connect(port, '127.0.0.1')
    const open = await once(socket, 'connect')
      .then(() => true)
      .catch(() => false)
    socket.destroy()
    if (open) return
    await wait(50)
  }
  throw new Error('Exim does not listen after five seconds.')
}
