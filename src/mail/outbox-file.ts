import { join } from 'node:path'

/** Whether a mail's id can be a file name of ours and nothing else: no separator, no leading dot, no surprise from a URL (S16). */
export function isOutboxId(id: string): boolean {
  return /^[A-Za-z0-9_-][A-Za-z0-9._-]{0,199}$/.test(id)
}

/** Where the mail of that id lies; only for an id that `isOutboxId` has passed. */
export function outboxFile(folder: string, id: string): string {
  return join(folder, `${id}.eml`)
}
