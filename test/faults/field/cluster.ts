import { execFile } from 'node:child_process'
import { chmod, chown, mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir, userInfo } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { freePort } from '../../setup/free-port.ts'

const run = promisify(execFile)
const debian = '/usr/lib/postgresql'

/** A PostgreSQL of a test's own, which may be stopped as if its power had failed. */
export type Cluster = {
  /** A server on which databases may be made. */
  readonly url: string
  /** Ends every process at once, without a checkpoint (`pg_ctl -m immediate`). */
  stopAtOnce(): Promise<void>
  start(): Promise<void>
  /** Stops it and removes every file of it. */
  close(): Promise<void>
}

/** The folder of the newest PostgreSQL here, or undefined. */
export async function findPostgresPrograms(): Promise<string | undefined> {
  const versions = await readdir(debian).catch(() => [])
  const newest = versions.sort((a, b) => Number(b) - Number(a))[0]
  return newest && join(debian, newest, 'bin')
}

/** Makes a cluster in a temporary folder, on a free port of that address, and starts it. Clients of `network` are let in. */
export async function startCluster({ host = '127.0.0.1', network = '127.0.0.1/32' } = {}): Promise<Cluster> {
  const programs = await findPostgresPrograms()
  if (!programs) throw new Error(`No PostgreSQL under ${debian}: apt-get install postgresql`)
  const folder = await mkdtemp(join(tmpdir(), 'verdict-pg-'))
  const data = join(folder, 'data')
  const port = await freePort()
  const asOwner = await owner(folder)
  await asOwner(join(programs, 'initdb'), ['-D', data, '-U', 'root', '-A', 'trust', '-N'])
  await asOwner('/bin/sh', ['-c', `echo 'host all all ${network} trust' >> ${data}/pg_hba.conf`])

  // Power is not cut here, only processes end: what has been handed to the system is not lost, so `fsync` may be off.
  const settings = {
    ...{ port, listen_addresses: host, unix_socket_directories: folder, fsync: 'off', max_connections: 80 },
    idle_in_transaction_session_timeout: '5s',
  }
  const flags = Object.entries(settings).map(([name, value]) => `-c ${name}=${value}`)
  const ctl = (...args: string[]) => asOwner(join(programs, 'pg_ctl'), ['-D', data, '-w', ...args])
  const start = () => ctl('-l', join(folder, 'log'), '-o', flags.join(' '), 'start')
  await start()
  return {
    url: `postgres://root@${host}:${port}/postgres`,
    start,
    stopAtOnce: () => ctl('-m', 'immediate', 'stop'),
    async close() {
      await ctl('-m', 'immediate', 'stop').catch(() => {})
      await rm(folder, { recursive: true, force: true })
    },
  }
}

type Runner = (program: string, args: readonly string[]) => Promise<void>

/** PostgreSQL does not run as root: there, its own user has the folder and runs the programs. */
async function owner(folder: string): Promise<Runner> {
  if (userInfo().uid !== 0)
    return async (program, args) => {
      await run(program, [...args])
    }
  const { stdout: uid } = await run('id', ['-u', 'postgres'])
  const { stdout: gid } = await run('id', ['-g', 'postgres'])
  await chown(folder, Number(uid), Number(gid))
  await chmod(folder, 0o755)
  return async (program, args) => {
    await run('su', ['postgres', '-s', '/bin/sh', '-c', 'cd /; exec "$@"', '--', 'sh', program, ...args])
  }
}
