/**
 * What somebody reads beside the button when they sign up. The version goes into the consent record: whoever changes the
 * text makes a new version, and leaves the old one in the list.
 */
export const wording = {
  version: '2026-11',
  text: 'One mail a week, and nothing else. First you confirm your address; you can leave with one press in every mail.',
} as const

const versions: readonly string[] = [wording.version]

/** The version that a form says it showed, or `unknown`: a form on somebody else's page may say anything. */
export function shownWording(version: string | undefined): string {
  return version !== undefined && versions.includes(version) ? version : 'unknown'
}
