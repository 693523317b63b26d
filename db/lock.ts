import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'

/** Thrown when another process has the data folder open. */
export class DataFolderLocked extends Error {
  override readonly name = 'DataFolderLocked'
  constructor(dataDir: string, pid: string) {
    super(
      `The data folder ${dataDir} is in use by process ${pid}. ` +
        'Stop that process first, or set DATABASE_URL so that several processes can share a PostgreSQL.',
    )
  }
}

/**
 * Takes the data folder for this process alone and returns how to give it back. Refuses at once, naming the holder.
 * The lock is SQLite's, so the operating system drops it with its process, however that process ended.
 */
export function lockDataFolder(dataDir: string): () => void {
  mkdirSync(dataDir, { recursive: true })
  const holder = join(dataDir, 'lock.pid')
  const lock = new DatabaseSync(join(dataDir, 'lock.sqlite'), { timeout: 0 })
  try {
    lock.exec('begin exclusive')
  } catch (error) {
    lock.close()
    if (!isBusy(error)) throw error
    throw new DataFolderLocked(dataDir, readHolder(holder))
  }
  writeNote(holder)
  held.add(lock)
  return () => {
    held.delete(lock)
    lock.close()
  }
}

/** Nothing else may refer to a lock, and one that is garbage collected is given up. */
const held = new Set<DatabaseSync>()

/** In one step: whoever is refused at this moment must not find the note empty. */
function writeNote(holder: string): void {
  const draft = `${holder}.${process.pid}`
  writeFileSync(draft, `${process.pid}\n`)
  renameSync(draft, holder)
}

function isBusy(error: unknown): boolean {
  return error instanceof Error && 'errcode' in error && error.errcode === 5
}

function readHolder(file: string): string {
  try {
    return readFileSync(file, 'utf8').trim()
  } catch {
    return 'unknown'
  }
}
