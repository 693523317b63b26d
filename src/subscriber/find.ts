import { domainToASCII } from 'node:url'
import { type Kysely, type Selectable, sql } from 'kysely'
import type { Database } from '../../db/schema.ts'
import type { ListedReader } from './browse.ts'

/** A reader's row, as it stands. */
export type Reader = Selectable<Database['subscriber']>

/** The reader of a public id; undefined when it is nobody's. */
export function findReader(db: Kysely<Database>, publicId: string): Promise<Reader | undefined> {
  return db.selectFrom('subscriber').selectAll().where('public_id', '=', publicId).executeTakeFirst()
}

/** The reader who has exactly this parsed address. */
export function readerAt(db: Kysely<Database>, address: string): Promise<Reader | undefined> {
  return db.selectFrom('subscriber').selectAll().where('address', '=', address).executeTakeFirst()
}

/**
 * Readers whose address begins so, in the order of bytes, those after an address or the first. A range of an index,
 * however many readers there are.
 */
export async function readersBeginning(
  db: Kysely<Database>,
  beginning: string,
  { after = '', most }: { after?: string; most: number },
): Promise<readonly ListedReader[]> {
  const { rows } = await sql<ListedReader>`
    select s.id as cursor, s.public_id as "publicId", s.address, s.status, s.cadence, s.created_at as since,
           x.reason as barred
      from (select * from subscriber
             where address collate "C" >= ${beginning} and address collate "C" < ${afterAll(beginning)}
               and address collate "C" > ${after}
             order by address collate "C" limit ${most}::int) s
      left join suppression x on x.address = s.address
     order by s.address collate "C"`.execute(db)
  return rows
}

/**
 * How an address would begin that was typed only so far, in the form in which addresses are stored. A label of the
 * domain that is typed in letters beyond ASCII can be turned only once it is whole; until then, it counts as any such label.
 */
export function beginningOf(input: string): string {
  const typed = input
    .trim()
    .normalize('NFC')
    .replace(/[\p{Cc}\p{Cf}\p{Z}]/gu, '')
    .slice(0, 254)
  const at = typed.lastIndexOf('@')
  if (at === -1) return lower(typed)
  const labels = typed.slice(at + 1).split('.')
  const whole = labels.slice(0, -1).map((label) => domainToASCII(label) || label)
  return lower(`${typed.slice(0, at + 1)}${[...whole, unfinished(labels.at(-1) ?? '')].join('.')}`)
}

function unfinished(label: string): string {
  return /[^\x21-\x7e]/.test(label) ? 'xn--' : label
}

function lower(text: string): string {
  return text.replace(/[A-Z]/g, (letter) => letter.toLowerCase())
}

/** The least text that is after everything that begins so: no address has a character beyond `~`. */
function afterAll(beginning: string): string {
  return `${beginning}\x7f`
}
