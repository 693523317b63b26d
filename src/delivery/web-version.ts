import type { Kysely } from 'kysely'
import type { Database } from '../../db/schema.ts'
import { cutEdition, fillEdition } from '../issue/edition.ts'
import { linkTargets, withDirectLinks } from '../issue/links.ts'
import type { WireFacts } from '../mail/wire.ts'
import { loadEdition } from './send.ts'

type Deps = { readonly db: Kysely<Database>; readonly wire: Pick<WireFacts, 'publicUrl'> }

/** An issue as `/issues/WEEK` shows it to anybody: the edition that is sent, with no reader's links and nothing counted. */
export async function webVersion(
  { db, wire: { publicUrl } }: Deps,
  { id, week, editionHash }: { readonly id: number; readonly week: string; readonly editionHash: string },
): Promise<string> {
  const { html } = fillEdition(cutEdition(await loadEdition(db, editionHash)), {
    unsubscribe: `${publicUrl}/unsubscribe`,
    preferences: `${publicUrl}/preferences`,
    webVersion: `${publicUrl}/issues/${week}`,
    // A visitor is told how readers vote (`src/subscriber/vote-link.ts`).
    vote: `${publicUrl}/vote/anybody`,
  })
  return withDirectLinks(forAnybody(html, publicUrl), publicUrl, await linkTargets(db, id))
}

/** What a reader follows with their own link, anybody can follow from the comparison's page. */
function forAnybody(html: string, publicUrl: string): string {
  const link = new RegExp(`${RegExp.escape(`${publicUrl}/preferences/follow/`)}([a-z0-9-]+)`, 'g')
  return html.replace(link, (_, slug) => `${publicUrl}/compare/${slug}#follow`)
}
