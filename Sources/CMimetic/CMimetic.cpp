#include "CMimetic.h"
