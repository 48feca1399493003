// The proof that the checker can fail: with a bug planted, lives must be found wrong.
#pragma once

namespace rivulet::sim {

// True when every planted bug was found; says which was not.
bool CheckPlantedBugs();

}  // namespace rivulet::sim
