import type { Kysely } from 'kysely'
import type { Database } from '../../db/schema.ts'
import type { Clock } from '../clock.ts'
import { changePreferences, type Preferences, type Saved } from './preferences.ts'

type Deps = { readonly db: Kysely<Database>; readonly clock: Clock }

/** Categories by name and tools by slug that were shown to a reader to choose among. */
export type Shown = Pick<Preferences, 'categories' | 'tools'>

/** Stores what a reader chose among a few things, and how often; whatever else they follow stays as it is. */
export function followAmong(deps: Deps, publicId: string, shown: Shown, wish: Preferences): Promise<Saved> {
  return changePreferences(deps, publicId, (now) => ({
    cadence: wish.cadence,
    categories: merged(now.categories, shown.categories, wish.categories),
    tools: merged(now.tools, shown.tools, wish.tools),
  }))
}

function merged(
  now: readonly string[],
  shown: readonly string[],
  ticked: readonly string[],
): readonly string[] {
  return [...now.filter((one) => !shown.includes(one)), ...ticked.filter((one) => shown.includes(one))]
}
