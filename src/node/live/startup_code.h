// Gives back the memory of code that only starting needed.
#pragma once

namespace rivulet {

// Starting runs through much code that is not run again: relocation, configuration, planning, the set-up of
// libraries. Its pages stay in the process's resident set as long as nothing is short. This drops the
// executable pages that are mapped from files; what is run again comes back from the page cache, at a
// minor fault each. Safe beside running threads: such pages are never written to. Does nothing where the
// kernel does not tell the mappings.
void ReleaseStartupCode();

}  // namespace rivulet
