/* fortified: whether this was compiled with _FORTIFY_SOURCE=3. The calls alone do not tell it
 * from 2. */
#include <features.h>

int main(void)
{
    return __USE_FORTIFY_LEVEL == 3 ? 0 : 1;
}
