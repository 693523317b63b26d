import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { chmod, mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { freePort } from './free-port.ts'

/** A real Postfix of our own: a loopback port, a temporary queue, and every mail discarded once it has been through it. */
export type Postfix = { readonly url: string; readonly version: string; stop(): Promise<void> }

/** Accounts that Debian has anyway; Postfix wants some that are not root's, and files of theirs. */
const owner = 'news'
const group = 'uucp'

/**
 * Starts Debian's Postfix in the foreground; ended by its own process, never by name. It is not installed, because it and
 * Exim would put each other out, but unpacked into a temporary folder. Throws where it cannot run.
 */
export async function startPostfix(): Promise<Postfix> {
  if (process.getuid?.() !== 0) throw new Error('Postfix takes a configuration of ours only from root')
  const folder = await mkdtemp(join(tmpdir(), 'postfix-'))
  await chmod(folder, 0o755)
  try {
    return await startIn(folder)
  } catch (error) {
    await rm(folder, { recursive: true, force: true })
    throw error
  }
}

async function startIn(folder: string): Promise<Postfix> {
  const program = await unpack(folder)
  const port = await freePort()
  await configure(folder, program, port)
  const env = {
    PATH: process.env.PATH,
    MAIL_CONFIG: join(folder, 'etc'),
    LD_LIBRARY_PATH: join(program, 'lib/postfix'),
  }
  const postconf = join(program, 'sbin/postconf')
  const version = execFileSync(postconf, ['-h', 'mail_version'], { env, encoding: 'utf8' }).trim()
  const master = spawn(join(program, 'lib/postfix/sbin/master'), ['-d', '-c', env.MAIL_CONFIG], {
    ...{ env, stdio: ['ignore', 'inherit', 'inherit'] },
  })
  await listening(port, master)
  return {
    ...{ url: `smtp://127.0.0.1:${port}`, version },
    async stop() {
      master.kill('SIGTERM')
      if (master.exitCode === null && master.signalCode === null) await once(master, 'exit')
      await rm(folder, { recursive: true, force: true })
    },
  }
}

/** Returns the `usr` folder of the unpacked package. */
async function unpack(folder: string): Promise<string> {
  await mkdir(join(folder, 'package'))
  execFileSync('apt-get', ['download', '-qq', 'postfix'], { cwd: join(folder, 'package'), stdio: 'inherit' })
  const [file] = await readdir(join(folder, 'package'))
  if (!file) throw new Error('apt-get has no package postfix')
  execFileSync('dpkg', ['-x', join(folder, 'package', file), join(folder, 'root')])
  const program = join(folder, 'root/usr')
  if (!existsSync(join(program, 'lib/postfix/sbin/master'))) throw new Error('The package has no Postfix')
  return program
}

async function configure(folder: string, program: string, port: number): Promise<void> {
  for (const part of ['etc', 'queue', 'data']) await mkdir(join(folder, part))
  const queues = 'active bounce corrupt defer deferred flush hold incoming private saved trace'
  for (const part of queues.split(' ')) await mkdir(join(folder, 'queue', part), { mode: 0o700 })
  for (const part of ['maildrop', 'public']) await mkdir(join(folder, 'queue', part), { mode: 0o730 })
  await mkdir(join(folder, 'queue/pid'))
  for (const part of [...queues.split(' '), 'maildrop', 'public'])
    execFileSync('chown', [`${owner}:${group}`, join(folder, 'queue', part)])
  execFileSync('chown', [owner, join(folder, 'data')])
  await writeFile(join(folder, 'etc/main.cf'), mainOf(folder, program))
  await writeFile(join(folder, 'etc/master.cf'), masterOf(port))
}

function mainOf(folder: string, program: string): string {
  return `
compatibility_level = 3.6
queue_directory = ${folder}/queue
data_directory = ${folder}/data
command_directory = ${program}/sbin
daemon_directory = ${program}/lib/postfix/sbin
shlib_directory = ${program}/lib/postfix
meta_directory = ${folder}/root/etc/postfix
import_environment = MAIL_CONFIG LD_LIBRARY_PATH
mail_owner = ${owner}
setgid_group = ${group}
myhostname = mail.example.test
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
mynetworks = 127.0.0.0/8
mydestination =
alias_maps =
alias_database =
default_transport = discard:
local_transport = discard:
relay_transport = discard:
smtpd_peername_lookup = no
smtpd_tls_security_level = none
smtpd_recipient_restrictions = permit_mynetworks, reject
maillog_file = ${folder}/log
maillog_file_prefixes = ${folder}
`
}

/** Nothing that would deliver: no smtp, local, virtual or pipe. */
function masterOf(port: number): string {
  const services = [
    `127.0.0.1:${port} inet n - n - 100 smtpd`,
    'cleanup unix n - n - 0 cleanup',
    'qmgr unix n - n 300 1 qmgr',
    'rewrite unix - - n - - trivial-rewrite',
    'bounce unix - - n - 0 bounce',
    'defer unix - - n - 0 bounce',
    'trace unix - - n - 0 bounce',
    'proxymap unix - - n - - proxymap',
    'discard unix - - n - - discard',
    'error unix - - n - - error',
    'retry unix - - n - - error',
    'anvil unix - - n - 1 anvil',
    'postlog unix-dgram n - n - 1 postlogd',
  ]
  return `${services.join('\n')}\n`
}

async function listening(port: number, master: ChildProcess): Promise<void> {
  for (let tries = 0; tries < 100; tries += 1) {
    if (master.exitCode !== null) throw new Error(`Postfix ended at once, with ${master.exitCode}`)
    const socket = connect(port, '127.0.0.1')
    const isGreeted = await once(socket, 'data')
      .then(([greeting]) => String(greeting).startsWith('220'))
      .catch(() => false)
    socket.destroy()
    if (isGreeted) return
    await wait(50)
  }
  throw new Error('Postfix does not answer after five seconds')
}
