import { findIssue, type Issue } from '../../issue/issue.ts'
import { weekNamed } from '../../issue/week.ts'
import type { DeskDeps } from './desk.ts'

/** The issue of a week as a path names it; undefined when that is no week, or has no issue. */
export function issueNamed({ db, calendar }: DeskDeps, name: string): Promise<Issue | undefined> {
  const week = weekNamed(name, calendar)
  return week ? findIssue(db, week.name) : Promise.resolve(undefined)
}
