import { userInfo } from 'node:os'

/** Who is at the command line, for the record of decisions: the system's name for them. */
export function operator(): string {
  try {
    return userInfo().username
  } catch {
    return 'operator'
  }
}
