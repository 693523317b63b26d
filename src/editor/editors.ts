import { parseAddress } from '../subscriber/address.ts'

/** Who edits a trial installation that names nobody; their codes are in the outbox. */
export const developmentEditor = 'editor@example.com'

/** Who may sign in at the desk. Nobody, in production without EDITORS: then it is closed. */
export function editorsOf({
  editors,
  production,
}: {
  readonly editors: readonly string[]
  readonly production: boolean
}): readonly string[] {
  if (editors.length === 0 && !production) return [developmentEditor]
  return editors.map((editor) => {
    const parsed = parseAddress(editor)
    return parsed.ok ? parsed.address : editor
  })
}
