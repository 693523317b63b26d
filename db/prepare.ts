import { sql } from 'kysely'
import { Client } from 'pg'

/** Put at the beginning of a statement that is run for every batch: PostgreSQL parses and plans it once per connection. */
export const often = sql.raw('/* often */')

const names = new Map<string, string>()

/** A connection that gives statements marked as `often` a name, which is what PostgreSQL keeps a plan under. */
export class PreparingClient extends Client {
  override query: Client['query'] = (...args: unknown[]) => {
    const [text, ...rest] = args
    const run = super.query.bind(this) as (...args: unknown[]) => never
    return typeof text === 'string' && text.trimStart().startsWith('/* often */')
      ? run({ name: nameOf(text), text }, ...rest)
      : run(...args)
  }
}

function nameOf(text: string): string {
  const known = names.get(text) ?? `often-${names.size + 1}`
  names.set(text, known)
  return known
}
