import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openEmbedded } from '../../db/connect.ts'
import { migrate } from '../../db/migrate.ts'
import { makeDatabase } from './own-database.ts'

/**
 * Makes a migrated database of each kind that every test file begins with a copy of: to copy takes a fraction of what it
 * takes to make and migrate one.
 */
export async function setup(): Promise<() => Promise<void>> {
  const server = process.env.TEST_DATABASE_URL
  const folder = await mkdtemp(join(tmpdir(), 'wv-test-'))
  // What a process has compiled, the next one that a test starts need not: MJML alone takes half a second.
  process.env.NODE_COMPILE_CACHE = join(folder, 'compiled')
  process.env.WV_EMBEDDED_FOLDER = join(folder, 'embedded')
  process.env.WV_EMBEDDED_COPY = join(folder, 'embedded.tar')
  await writeFile(process.env.WV_EMBEDDED_COPY, await dumpOfEmbedded(process.env.WV_EMBEDDED_FOLDER))
  const template = server === undefined ? undefined : await makeDatabase(server, 'wv_template')
  if (template) process.env.WV_POSTGRES_TEMPLATE = new URL(template.url).pathname.slice(1)
  await template?.connection.close()
  return async () => {
    await template?.drop()
    // A process that just ended may still be writing down what it has compiled.
    await rm(folder, { recursive: true, force: true, maxRetries: 20 })
  }
}

/** Makes the database in a folder, for processes of their own, and returns it as a dump, for those who want it in memory. */
async function dumpOfEmbedded(dataDir: string): Promise<Buffer> {
  const { db, driver, close } = await openEmbedded(dataDir)
  if (driver.kind !== 'embedded') throw new Error('The embedded database is not embedded')
  await migrate(db)
  const dump = await driver.pglite.dumpDataDir('none')
  await close()
  return Buffer.from(await dump.arrayBuffer())
}
