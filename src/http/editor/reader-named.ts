import { findReader, type Reader } from '../../subscriber/find.ts'
import type { DeskDeps } from './desk.ts'

/** Whether a path or a form names a reader as we do: by a UUID, and nothing else (RELIABILITY S16). */
export function isPublicId(text: string): boolean {
  return /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(text)
}

/** The reader that a path names; undefined when that is no id, or nobody's. */
export function readerNamed({ db }: DeskDeps, name: string): Promise<Reader | undefined> {
  return isPublicId(name) ? findReader(db, name) : Promise.resolve(undefined)
}
